/** Phones lay the keyboard over the page: the console then is as high as what is still seen, so that one sees what one writes. */

/** Less is a bar of the browser. */
const KEYBOARD_PX = 80;

export function fitToKeyboard(view = globalThis.visualViewport): void {
  view?.addEventListener('resize', () => {
    const covered = innerHeight - view.height > KEYBOARD_PX && view.scale === 1;
    const root = document.documentElement;
    root.style.setProperty('--c-height', covered ? `${view.height}px` : '');
    root.toggleAttribute('data-keyboard', covered);
    // the browser scrolled the field into view
    if (covered) scrollTo(0, 0);
  });
}
