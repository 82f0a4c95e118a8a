// Draw a mask over a picture, with the mouse, a pen or a finger. The strokes stay in
// the browser, so they are smooth while Python is busy; the mask goes to Python when
// a stroke ends.

const LONGEST = 512; // pixels of the mask
const COLOR = "#0072B2";

function render({ model, el }) {
  el.classList.add("stylelib-mask");
  const stage = add(el, "div", { className: "stylelib-mask-stage" });
  const photo = add(stage, "img", { alt: "The photo to draw on", draggable: false });
  const canvas = add(stage, "canvas", { title: "Draw where the painting goes" });
  canvas.setAttribute("aria-label", "Draw here where the painting goes");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const tools = add(el, "div", { className: "stylelib-mask-tools" });
  const label = add(tools, "label", { textContent: "brush " });
  const brush = add(label, "input", { type: "range", min: 8, max: 160, value: 60 });
  brush.title = "How wide a stroke is";
  let erasing = false;
  let before = []; // to undo, the oldest first

  const eraser = button("Erase", "Draw to take away", () => {
    erasing = !erasing;
    eraser.setAttribute("aria-pressed", erasing);
  });
  eraser.setAttribute("aria-pressed", false);
  button("Undo", "Take back the last stroke", () => {
    if (!before.length) return;
    pen.putImageData(before.pop(), 0, 0);
    tell();
  });
  button("Invert", "Swap what is marked with what is not", () => change(invert));
  button("Clear", "Start again", () => change(wipe));

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

  function remember() {
    before.push(pen.getImageData(0, 0, canvas.width, canvas.height));
    before = before.slice(-20);
  }

  function change(action) {
    remember();
    action();
    tell();
  }

  function wipe() {
    pen.clearRect(0, 0, canvas.width, canvas.height);
  }

  function copy() {
    const made = document.createElement("canvas");
    made.width = canvas.width;
    made.height = canvas.height;
    const its = made.getContext("2d");
    its.drawImage(canvas, 0, 0);
    return [made, its];
  }

  function invert() {
    const [old] = copy();
    pen.fillStyle = COLOR;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.globalCompositeOperation = "destination-out";
    pen.drawImage(old, 0, 0);
    pen.globalCompositeOperation = "source-over";
  }

  // White where there are strokes, on black.
  function tell() {
    const all = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    const empty = !all.some((value, i) => i % 4 === 3 && value > 0);
    const [made, its] = copy();
    its.globalCompositeOperation = "source-in";
    its.fillStyle = "white";
    its.fillRect(0, 0, made.width, made.height);
    its.globalCompositeOperation = "destination-over";
    its.fillStyle = "black";
    its.fillRect(0, 0, made.width, made.height);
    model.set("mask", empty ? "" : made.toDataURL("image/png"));
    model.save_changes();
  }

  // A mask that Python has, as strokes.
  async function show() {
    const url = model.get("mask");
    const mask = url && (await loaded(new Image(), url));
    if (url !== model.get("mask")) return; // another one came meanwhile
    before = [];
    wipe();
    if (!mask) return;
    pen.drawImage(mask, 0, 0, canvas.width, canvas.height);
    const pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < pixels.data.length; i += 4) {
      pixels.data[i + 3] = pixels.data[i];
      [pixels.data[i], pixels.data[i + 1], pixels.data[i + 2]] = [0x00, 0x72, 0xb2];
    }
    pen.putImageData(pixels, 0, 0);
  }

  // The picture once it is there, or nothing if another one was asked for meanwhile.
  async function loaded(image, url) {
    image.src = url;
    try {
      await image.decode();
      return image;
    } catch {
      return null;
    }
  }

  async function begin() {
    if (!(await loaded(photo, model.get("photo")))) return;
    const scale = LONGEST / Math.max(photo.naturalWidth, photo.naturalHeight);
    canvas.width = Math.max(1, Math.round(photo.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(photo.naturalHeight * scale));
    await show();
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  let last = null;
  function stroke(event) {
    const next = place(event);
    pen.globalCompositeOperation = erasing ? "destination-out" : "source-over";
    pen.strokeStyle = COLOR;
    pen.lineWidth = Number(brush.value);
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(...(last ?? next));
    pen.lineTo(...next);
    pen.stroke();
    pen.globalCompositeOperation = "source-over";
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
      if (!last) return;
      last = null;
      tell();
    });
  }
  // Changes from here come back as well: they are drawn already.
  const drawn = () => model.get("shown") !== seen && ((seen = model.get("shown")), show());
  let seen = model.get("shown");
  model.on("change:photo", begin);
  model.on("change:shown", drawn);
  begin();
  return () => {
    model.off("change:photo", begin);
    model.off("change:shown", drawn);
  };
}

export default { render };
