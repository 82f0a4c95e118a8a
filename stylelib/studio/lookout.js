// The kernel answers nothing while it runs a cell, so the browser says that it is waiting.
// Each press asks Python a question; as long as the answer is missing, other cells are running.

const SOON = 150; // milliseconds that an idle kernel may take to answer
const OPENED = 1000; // the same, when the painter has just appeared
const AGAIN = 3000; // until the question is repeated, in case the answer got lost

function render({ model, el }) {
  listen(model);
  el.classList.add("stylelib-lookout");
  const note = document.createElement("p");
  note.setAttribute("role", "status");
  note.hidden = true;
  el.append(note);
  let asked = 0;
  let answered = 0;

  function ask(words, patience) {
    model.send({ asked: (asked += 1) });
    const mine = asked;
    setTimeout(() => {
      if (answered >= mine) return;
      note.textContent = model.get("words")[words];
      note.hidden = false;
      if (mine === asked) setTimeout(repeat, AGAIN, mine);
    }, patience);
  }

  function repeat(mine) {
    if (answered >= mine || mine !== asked) return;
    model.send({ asked });
    setTimeout(repeat, AGAIN, mine);
  }

  function heard(message) {
    answered = Math.max(answered, message.asked ?? 0);
    if (answered >= asked) note.hidden = true;
  }

  function pressed(event) {
    const painter = el.closest(".stylelib-painter");
    if (painter && painter.contains(event.target)) ask("pressed", SOON);
  }

  model.on("msg:custom", heard);
  document.addEventListener("click", pressed, true);
  ask("opened", OPENED);
  return () => {
    model.off("msg:custom", heard);
    document.removeEventListener("click", pressed, true);
  };
}

export default { render };
