// In every page: which events of the chat its own listeners receive, and whether its own shortcut works.
window.heard = [];
window.hotkeys = 0;
window.menuOpen = true;
for (const type of ['keydown', 'keypress', 'keyup', 'beforeinput', 'input', 'compositionend', 'copy', 'cut', 'paste', 'wheel', 'touchstart', 'touchmove', 'pointerdown', 'mousedown', 'contextmenu', 'focusin', 'focusout']) {
  document.addEventListener(type, (e) => {
    if (e.target.localName === 'kefu-widget') window.heard.push(type);
  });
}
document.addEventListener('keydown', (e) => {
  if (e.key === 'F8') window.hotkeys++;
});
// What a page does with a click anywhere else: its menu closes.
document.addEventListener('click', () => (window.menuOpen = false));
