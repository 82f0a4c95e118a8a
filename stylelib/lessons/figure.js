// A figure with its description, which says where it is clicked on: in fractions of its width
// and height.

function render({ model, el }) {
  el.classList.add("jupyter-widgets");
  const image = document.createElement("img");
  image.draggable = false;
  image.style.cssText = "display: block; max-width: 100%";
  el.append(image);
  let url = "";

  function show() {
    URL.revokeObjectURL(url);
    url = URL.createObjectURL(
      new Blob([model.get("value")], { type: `image/${model.get("format")}` }),
    );
    image.src = url;
    image.style.width = model.get("width") ? `${model.get("width")}px` : "";
  }

  function describe() {
    image.alt = model.get("alt");
  }

  if (model.get("clickable")) {
    image.style.cursor = "crosshair";
    image.addEventListener("click", (event) => {
      const box = image.getBoundingClientRect();
      model.send({
        across: (event.clientX - box.left) / box.width,
        down: (event.clientY - box.top) / box.height,
      });
    });
  }
  model.on("change:value", show);
  model.on("change:alt", describe);
  show();
  describe();
  return () => {
    model.off("change:value", show);
    model.off("change:alt", describe);
    URL.revokeObjectURL(url);
  };
}

export default { render };
