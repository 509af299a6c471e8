// Scrolls by whole pages, as fullPage.js does: wheel and touch are the page's.
window.turned = 0;
const turn = (e) => {
  e.preventDefault();
  window.turned++;
};
for (const type of ['wheel', 'mousewheel', 'DOMMouseScroll', 'touchmove']) document.addEventListener(type, turn, { passive: false });
