// A button that copies a text.

function render({ model, el }) {
  listen(model);
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "jupyter-button" });
  const said = document.createElement("span"); // for screen readers as well
  said.setAttribute("role", "status");
  said.className = "stylelib-copied";
  el.classList.add("stylelib-copy");
  el.append(button, said);

  async function copy() {
    const text = model.get("text");
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without HTTPS, browsers have no clipboard for pages, but still this.
      const area = Object.assign(document.createElement("textarea"), { value: text });
      button.after(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    said.textContent = model.get("done");
    setTimeout(() => (said.textContent = ""), 3000);
  }

  function describe() {
    button.textContent = model.get("description");
    button.title = model.get("tooltip");
    button.disabled = !model.get("text");
  }
  button.addEventListener("click", copy);
  model.on("change:text change:description change:tooltip", describe);
  describe();
  return () => model.off("change:text change:description change:tooltip", describe);
}

export default { render };
