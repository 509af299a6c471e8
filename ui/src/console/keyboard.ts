/** Phones lay the keyboard over the page: the console then is as high as what is still seen, so that one sees what one writes. */

/** Less is a bar of the browser. */
const KEYBOARD_PX = 80;

export function fitToKeyboard(view = globalThis.visualViewport): void {
  view?.addEventListener('resize', () => {
    const covered = innerHeight - view.height > KEYBOARD_PX && view.scale === 1;
    const { style } = document.documentElement;
    if (covered) style.setProperty('--c-height', `${view.height}px`);
    else style.removeProperty('--c-height');
    // what was scrolled into view for the keyboard
    if (covered) scrollTo(0, 0);
  });
}
