// A button for a file, and a box to drop one on. The file is sent in parts, because one message
// to Python may not be larger than 10 MB.

const PART = 4_000_000; // bytes
const WAITING = "Loading…";

function render({ model, el }) {
  listen(model);
  const button = document.createElement("button");
  const input = document.createElement("input");
  Object.assign(button, { type: "button", className: "jupyter-button stylelib-upload" });
  Object.assign(input, { type: "file", hidden: true });
  el.append(button, input);

  function describe() {
    button.textContent = model.get("description");
    button.title = model.get("tooltip");
    input.accept = model.get("accept");
  }

  async function send(file) {
    if (!file) return;
    const about = { name: file.name, size: file.size };
    button.textContent = WAITING;
    try {
      // A file that is too large is announced, for Python to say so, but not sent.
      const end = file.size > model.get("largest") ? 0 : file.size;
      let start = 0;
      do {
        const part = await file.slice(start, Math.min(start + PART, end)).arrayBuffer();
        model.send({ ...about, start }, undefined, [part]);
        start += PART;
      } while (start < end);
    } catch {
      model.send({ ...about, start: 0, unreadable: true }, undefined, []); // a folder, for example
    }
    describe();
  }

  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    send(input.files[0]);
    input.value = ""; // the same file may be chosen again
  });
  for (const kind of ["dragenter", "dragover"]) {
    button.addEventListener(kind, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      button.classList.add("over");
    });
  }
  button.addEventListener("dragleave", () => button.classList.remove("over"));
  button.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    button.classList.remove("over");
    send(event.dataTransfer.files[0]);
  });
  model.on("change:description change:tooltip change:accept", describe);
  describe();
  return () => model.off("change:description change:tooltip change:accept", describe);
}

export default { render };
