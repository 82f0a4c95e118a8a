// Draw a mask over a photo, with the mouse, a pen or a finger: white on black, shown as
// blue on the photo. Drawing happens in the browser alone, so it is smooth while Python is
// busy; Python gets the mask at the end of each stroke.

const LONGEST = 512; // pixels of the mask
// A colour matrix from black and white to transparent and blue, #0072B2.
const TINT = "0 0 0 0 0  0 0 0 0 0.447  0 0 0 0 0.698  1 0 0 0 0";

function render({ model, el }) {
  listen(model);
  el.classList.add("stylelib-mask");
  const stage = add(el, "div", { className: "stylelib-mask-stage" });
  const photo = add(stage, "img", { alt: "The photo to draw on", draggable: false });
  const canvas = add(stage, "canvas", { title: "Draw where the painting goes" });
  canvas.setAttribute("aria-label", "Draw here where the painting goes");
  const id = `stylelib-mask-${Math.random().toString(36).slice(2)}`;
  const tint = `<filter id="${id}" color-interpolation-filters="sRGB"><feColorMatrix values="${TINT}"/></filter>`;
  stage.insertAdjacentHTML("beforeend", `<svg width="0" height="0">${tint}</svg>`);
  canvas.style.filter = `url(#${id})`;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const tools = add(el, "div", { className: "stylelib-mask-tools" });
  const label = add(tools, "label", { textContent: "brush " });
  const brush = add(label, "input", { type: "range", min: 8, max: 160, value: 60 });
  brush.title = "The width of a stroke";
  let erasing = false;
  let history = []; // to undo, oldest first

  const eraser = button("Erase", "Draw to remove what is marked", () => {
    erasing = !erasing;
    eraser.setAttribute("aria-pressed", erasing);
  });
  eraser.setAttribute("aria-pressed", false);
  button("Undo", "Undo the last stroke", () => {
    if (!history.length) return;
    pen.putImageData(history.pop(), 0, 0);
    send();
  });
  button("Invert", "Swap what is marked with what is not", () => change("white", "difference"));
  button("Clear", "Start again", () => change("black"));

  function add(parent, kind, properties) {
    const child = Object.assign(document.createElement(kind), properties);
    parent.append(child);
    return child;
  }

  function button(name, title, action) {
    const made = add(tools, "button", { type: "button", textContent: name, title });
    made.className = "jupyter-button";
    made.addEventListener("click", action);
    return made;
  }

  function pixels() {
    return pen.getImageData(0, 0, canvas.width, canvas.height);
  }

  function remember() {
    history = [...history.slice(-19), pixels()];
  }

  function fill(color, operation = "source-over") {
    pen.globalCompositeOperation = operation;
    pen.fillStyle = color;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.globalCompositeOperation = "source-over";
  }

  function change(color, operation) {
    remember();
    fill(color, operation);
    send();
  }

  function send() {
    const empty = !pixels().data.some((value, i) => i % 4 === 0 && value > 0);
    model.set("mask", empty ? "" : canvas.toDataURL("image/png"));
    model.save_changes();
  }

  // Draw a mask that was set from Python.
  async function show() {
    const [url, mask] = [model.get("mask"), new Image()];
    const found = url && (await load(mask, url));
    if (url !== model.get("mask")) return; // another one has arrived
    history = [];
    fill("black");
    if (found) pen.drawImage(mask, 0, 0, canvas.width, canvas.height);
  }

  // Whether the image has been loaded, and no other one was requested in the meantime.
  function load(image, url) {
    image.src = url;
    return image.decode().then(() => true, () => false);
  }

  async function begin() {
    if (!(await load(photo, model.get("photo")))) return;
    const scale = LONGEST / Math.max(photo.naturalWidth, photo.naturalHeight);
    canvas.width = Math.max(1, Math.round(photo.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(photo.naturalHeight * scale));
    await show();
  }

  let last = null;
  function stroke(event) {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    const next = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    pen.strokeStyle = erasing ? "black" : "white";
    pen.lineWidth = Number(brush.value);
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(...(last ?? next));
    pen.lineTo(...next);
    pen.stroke();
    last = next;
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    remember();
    stroke(event);
  });
  canvas.addEventListener("pointermove", (event) => last && event.isPrimary && stroke(event));
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (last) send();
      last = null;
    });
  }
  // `shown` changes only when Python sets the mask: what is drawn here comes back as well.
  model.on("change:photo", begin);
  model.on("change:shown", show);
  begin();
  return () => {
    model.off("change:photo", begin);
    model.off("change:shown", show);
  };
}

export default { render };
