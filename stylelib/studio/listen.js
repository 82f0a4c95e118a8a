// Put before the script of each part. anywidget gives a script two seconds to load; on a busy
// computer it takes longer, and from then on the part would hear nothing from Python: the picture
// would stand still. So messages go the way that those of all other widgets go.

async function listen(model) {
  try {
    const whole = await model.widget_manager.get_model(model.get("own_id"));
    const usual = Object.getPrototypeOf(Object.getPrototypeOf(whole))._handle_comm_msg;
    whole.comm.on_msg((message) => usual.call(whole, message));
    model.send({ listening: true }); // Python sends what may have been missed
  } catch (error) {
    console.warn("stylelib: a widget may miss messages from Python", error);
  }
}

