// Points on a picture, moved with the mouse, a finger or the arrow keys: one that goes anywhere, or
// a row of them that only go up and down, joined by a line.

const STEP = 0.02; // of the picture, for a press of an arrow key; ten times as much with Shift

function clamp(number) {
  return Math.min(1, Math.max(0, number));
}

function render({ model, el }) {
  el.classList.add("stylelib-points");
  const image = document.createElement("img");
  image.draggable = false;
  image.alt = model.get("alt");
  const url = URL.createObjectURL(
    new Blob([model.get("picture")], { type: model.get("kind") }),
  );
  image.src = url;
  const area = document.createElement("div");
  area.className = "stylelib-points-area";
  const [left, top, width, height] = model.get("box").map((part) => `${100 * part}%`);
  Object.assign(area.style, { left, top, width, height });
  const lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  lines.setAttribute("viewBox", "0 0 1 1");
  lines.setAttribute("preserveAspectRatio", "none");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  lines.append(line);
  area.append(lines);
  const frame = document.createElement("div");
  frame.className = "stylelib-points-frame";
  frame.append(image, area);
  el.append(frame);

  const free = model.get("free");
  const handles = model.get("names").map((name, index) => {
    const handle = document.createElement("div");
    handle.className = "stylelib-points-handle";
    handle.tabIndex = 0;
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-label", name);
    handle.setAttribute("aria-valuemin", 0);
    handle.setAttribute("aria-valuemax", 100);
    if (!free) handle.setAttribute("aria-orientation", "vertical");
    handle.addEventListener("keydown", (event) => press(event, index));
    area.append(handle);
    return handle;
  });

  function draw() {
    const points = model.get("value");
    const scale = model.get("scale");
    el.classList.toggle("stylelib-points-untouched", !model.get("touched"));
    points.forEach(([across, down], index) => {
      const handle = handles[index];
      handle.style.left = `${100 * across}%`;
      handle.style.top = `${100 * down}%`;
      const percent = Math.round(100 * scale * (1 - down));
      handle.setAttribute("aria-valuemax", Math.round(100 * scale));
      handle.setAttribute("aria-valuenow", free ? Math.round(100 * across) : percent);
      handle.setAttribute(
        "aria-valuetext",
        free ? `${Math.round(100 * across)} %, ${Math.round(100 * down)} %` : `${percent} %`,
      );
      handle.setAttribute("aria-disabled", model.get("disabled"));
    });
    const joined = [...model.get("fixed"), ...points];
    line.setAttribute("points", free ? "" : joined.map((point) => point.join()).join(" "));
  }

  function move(index, across, down) {
    if (model.get("disabled")) return;
    const points = model.get("value").map((point) => [...point]);
    points[index] = [free ? clamp(across) : points[index][0], clamp(down)];
    model.set("value", points);
    model.set("touched", true);
    draw(); // at once, whatever Python is doing
  }

  function press(event, index) {
    const [across, down] = model.get("value")[index];
    const step = event.shiftKey ? 10 * STEP : STEP;
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    if (free || way[1]) {
      move(index, across + step * way[0], down + step * way[1]);
      model.save_changes();
    } else {
      handles[index + way[0]]?.focus();
    }
  }

  let dragging = false;

  function follow(event) {
    const box = area.getBoundingClientRect();
    const across = (event.clientX - box.left) / box.width;
    const down = (event.clientY - box.top) / box.height;
    const away = model.get("value").map((point) => Math.abs(point[0] - across));
    const index = free ? 0 : away.indexOf(Math.min(...away));
    move(index, across, down);
    return index;
  }

  area.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    dragging = true;
    area.setPointerCapture(event.pointerId);
    handles[follow(event)].focus({ preventScroll: true });
  });
  area.addEventListener("pointermove", (event) => dragging && follow(event));
  for (const end of ["pointerup", "pointercancel"]) {
    area.addEventListener(end, () => {
      if (dragging) model.save_changes();
      dragging = false;
    });
  }
  const watched = ["change:value", "change:touched", "change:disabled"];
  for (const each of watched) model.on(each, draw);
  draw();
  return () => {
    for (const each of watched) model.off(each, draw);
    URL.revokeObjectURL(url);
  };
}

export default { render };
