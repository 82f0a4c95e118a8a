// A picture that says where it is clicked on, in fractions of its width and height.

function render({ model, el }) {
  el.classList.add("jupyter-widgets");
  // The text beside it describes it to screen readers.
  const image = Object.assign(document.createElement("img"), { alt: "", draggable: false });
  image.style.cssText = "max-width: 100%; cursor: crosshair";
  el.append(image);
  let url = "";

  function show() {
    URL.revokeObjectURL(url);
    url = URL.createObjectURL(
      new Blob([model.get("value")], { type: `image/${model.get("format")}` }),
    );
    image.src = url;
  }

  image.addEventListener("click", (event) => {
    const box = image.getBoundingClientRect();
    model.send({
      across: (event.clientX - box.left) / box.width,
      down: (event.clientY - box.top) / box.height,
    });
  });
  model.on("change:value", show);
  show();
  return () => {
    model.off("change:value", show);
    URL.revokeObjectURL(url);
  };
}

export default { render };
