// The picture, and a line to drag over it: what it is compared with is left of the line. It can be
// zoomed into and shown on the full screen. All of this happens in the browser alone, so it is
// smooth while Python is busy; Python hears where the line is once it has been let go.

const WORDS = {
  line: "before / after",
  whole: "The line is at the left edge: only the picture is seen.",
  share: (before, percent) => `${before} on the left ${percent} percent`,
  drag: "Drag to compare before with after. Double-click to see every pixel.",
  stage: "The picture. Plus and minus zoom, 0 shows all of it, F fills the screen.",
  in: "Zoom in (+)",
  out: "Zoom out (-)",
  all: "Show all of it (0)",
  screen: "Full screen (F)",
};
const CLOSEST = 16; // times as large as the whole picture
const STEP = 1.4; // what a press of a button zooms by
const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  in: "M8 3v10M3 8h10",
  out: "M3 8h10",
  all: "M3 6V3h3M13 6V3h-3M3 10v3h3M13 10v3h-3M6 6h4v4H6z",
  screen: "M3 6V3h3M13 6V3h-3M3 10v3h3M13 10v3h-3",
};

function add(parent, kind, className, attributes = {}) {
  const child = document.createElement(kind);
  child.className = className;
  for (const [name, value] of Object.entries(attributes)) child.setAttribute(name, value);
  parent.append(child);
  return child;
}

function render({ model, el }) {
  listen(model);
  el.classList.add("stylelib-easel");
  const stage = add(el, "div", "stylelib-easel-stage", {
    role: "group",
    tabindex: 0,
    "aria-label": WORDS.stage,
    "data-lm-suppress-shortcuts": true, // 0 0 would restart the kernel
  });
  const frame = add(stage, "div", "stylelib-easel-frame", { title: WORDS.drag });
  const picture = add(frame, "img", "jupyter-widgets", { draggable: false });
  const cover = add(frame, "div", "stylelib-easel-before");
  const before = add(cover, "img", "", { draggable: false });
  const names = ["left", "right"].map((side) => add(frame, "span", `stylelib-easel-name ${side}`));
  const line = add(frame, "div", "stylelib-easel-line", {
    role: "slider",
    tabindex: 0,
    "aria-label": WORDS.line,
    "aria-valuemin": 0,
    "aria-valuemax": 100,
  });
  add(line, "span", "stylelib-easel-grip", { "aria-hidden": true }).textContent = "◂ ▸";
  const tools = add(frame, "div", "stylelib-easel-tools");
  const actions = {
    out: () => zoom(scale / STEP),
    all: () => zoom(1),
    in: () => zoom(scale * STEP),
    screen: toggleScreen,
  };
  const buttons = {};
  for (const [name, action] of Object.entries(actions)) {
    const look = { type: "button", title: WORDS[name], "aria-label": WORDS[name] };
    buttons[name] = add(tools, "button", "", look);
    const icon = document.createElementNS(SVG, "svg");
    icon.setAttribute("viewBox", "0 0 16 16");
    icon.append(document.createElementNS(SVG, "path"));
    icon.firstChild.setAttribute("d", ICONS[name]);
    buttons[name].append(icon);
    buttons[name].addEventListener("click", action);
  }

  // ------------------------------------------------------------------ what is shown

  const urls = new Map();
  function show(image, name) {
    const bytes = model.get(name);
    URL.revokeObjectURL(urls.get(image));
    urls.set(image, bytes?.byteLength ? URL.createObjectURL(new Blob([bytes])) : "");
    if (urls.get(image)) image.src = urls.get(image);
    place();
  }

  function describe() {
    picture.alt = model.get("alt");
    before.alt = model.get("before_name");
    [names[0].textContent, names[1].textContent] = [model.get("before_name"), model.get("name")];
    const [width, height] = model.get("shape");
    el.style.setProperty("--ratio", width / height);
    place();
  }

  let split = 0; // percent
  function place() {
    const has = Boolean(model.get("before")?.byteLength);
    cover.hidden = line.hidden = !has;
    cover.style.clipPath = `inset(0 ${100 - split}% 0 0)`;
    line.style.left = `${split}%`;
    line.classList.toggle("at-start", split < 3);
    line.classList.toggle("at-end", split > 97);
    line.setAttribute("aria-valuenow", Math.round(split));
    const text = split ? WORDS.share(model.get("before_name"), Math.round(split)) : WORDS.whole;
    line.setAttribute("aria-valuetext", text);
    names[0].hidden = !has || split < 12;
    names[1].hidden = !has || split > 88 || !split;
  }

  function compare(percent, save) {
    split = Math.min(100, Math.max(0, percent));
    place();
    if (save && Math.round(split) !== model.get("split")) {
      model.set("split", Math.round(split));
      model.save_changes();
    }
  }

  function follow() {
    if (!dragged) compare(model.get("split"), false);
  }

  // ----------------------------------------------------------------------- zooming

  let [scale, left, top] = [1, 0, 0]; // of the picture, in the frame's pixels
  function move(x, y) {
    const [width, height] = [frame.clientWidth, frame.clientHeight];
    left = Math.min(0, Math.max(width - width * scale, x));
    top = Math.min(0, Math.max(height - height * scale, y));
    for (const image of [picture, before]) {
      image.style.transform = scale > 1 ? `translate(${left}px, ${top}px) scale(${scale})` : "";
    }
    stage.classList.toggle("zoomed", scale > 1);
    if (scale === 1 && [buttons.out, buttons.all].includes(document.activeElement)) stage.focus();
    buttons.out.hidden = buttons.all.hidden = scale === 1;
    buttons.in.disabled = scale === CLOSEST;
  }

  // Zoom around a point of the frame, by default its middle.
  function zoom(wanted, x = frame.clientWidth / 2, y = frame.clientHeight / 2) {
    const next = Math.min(CLOSEST, Math.max(1, wanted < 1.05 ? 1 : wanted));
    const grown = next / scale;
    scale = next;
    move(x - (x - left) * grown, y - (y - top) * grown);
  }

  function within(event) {
    const box = frame.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  async function toggleScreen() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await stage.requestFullscreen?.();
  }
  const resized = new ResizeObserver(() => move(left, top));
  resized.observe(frame);

  // The wheel scrolls the page, unless the picture is already zoomed into. Pinching on a
  // touchpad is reported as the wheel with Control.
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && scale === 1 && document.fullscreenElement !== stage) return;
    event.preventDefault();
    zoom(scale * 1.002 ** -event.deltaY, ...within(event));
  }, { passive: false });

  frame.addEventListener("dblclick", (event) => {
    if (tools.contains(event.target)) return;
    const all = picture.naturalWidth / frame.clientWidth;
    zoom(scale > 1 ? 1 : Math.max(2, all), ...within(event));
  });

  // ---------------------------------------------------------------------- dragging

  let dragged = null; // what the pointer does, and where it began
  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary || tools.contains(event.target)) return;
    const grips = line.contains(event.target);
    if (scale === 1 && line.hidden) return;
    event.preventDefault();
    (grips ? line : stage).focus({ preventScroll: true });
    frame.setPointerCapture(event.pointerId);
    const kind = grips || scale === 1 ? "line" : "picture";
    dragged = { kind, x: event.clientX, y: event.clientY, left, top, moved: false };
  });
  frame.addEventListener("pointermove", (event) => {
    if (!dragged || !event.isPrimary) return;
    const [across, down] = [event.clientX - dragged.x, event.clientY - dragged.y];
    dragged.moved ||= Math.abs(across) + Math.abs(down) > 3; // a click is not a drag
    if (!dragged.moved) return;
    if (dragged.kind === "picture") move(dragged.left + across, dragged.top + down);
    else compare((100 * within(event)[0]) / frame.clientWidth, false);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    frame.addEventListener(end, () => {
      const was = dragged;
      dragged = null;
      if (was?.kind === "line" && was.moved) compare(split, true);
    });
  }

  // ---------------------------------------------------------------------- the keys

  const along = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
  const across = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  stage.addEventListener("keydown", (event) => {
    if (event.key === "Control" || event.key === "Meta") {
      stage.removeAttribute("data-lm-suppress-shortcuts"); // Ctrl S saves the notebook
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, target } = event;
    if (target === line && (key in along || key === "Home" || key === "End")) {
      const steps = along[key] * (event.shiftKey ? 10 : 1);
      compare(key === "Home" ? 0 : key === "End" ? 100 : split + steps, true);
    } else if (key === "+" || key === "=") actions.in();
    else if (key === "-") actions.out();
    else if (key === "0") actions.all();
    else if (key === "f" || key === "F") actions.screen();
    else if (key in across && scale > 1) {
      move(left + 60 * across[key][0], top + 60 * across[key][1]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  stage.addEventListener("keyup", () => stage.setAttribute("data-lm-suppress-shortcuts", true));

  const watched = {
    "change:value": () => show(picture, "value"),
    "change:before": () => show(before, "before"),
    "change:split": follow,
    "change:alt change:name change:before_name change:shape": describe,
  };
  for (const [events, action] of Object.entries(watched)) model.on(events, action);
  describe();
  follow();
  show(picture, "value");
  show(before, "before");
  move(0, 0);
  return () => {
    for (const [events, action] of Object.entries(watched)) model.off(events, action);
    for (const url of urls.values()) URL.revokeObjectURL(url);
    resized.disconnect();
  };
}

export default { render };
