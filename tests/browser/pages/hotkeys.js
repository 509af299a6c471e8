// A page with hotkeys that asks where a key was pressed in the ways that do not see into a shadow root.
window.fired = [];
const inField = (e) => /^(INPUT|TEXTAREA)$/.test(e.tagName);
document.addEventListener('keydown', (e) => {
  if (inField(e.target) || !/^[fst/ ]$/.test(e.key)) return;
  window.fired.push(e.key);
  e.preventDefault();
});
document.body.addEventListener('keypress', (e) => {
  if (!inField(document.activeElement) && e.key === 'h') e.preventDefault();
});
// legacy handler properties, as in code that was copied for twenty years
document.onkeyup = (e) => void (inField(e.target) || e.preventDefault());
for (const type of ['paste', 'copy', 'cut', 'contextmenu', 'selectstart', 'dragstart', 'mousedown']) {
  document.addEventListener(type, (e) => inField(e.target) || e.preventDefault());
}
