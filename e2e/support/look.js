/** How a page is looked at: how wide the window is, and whether the system is light or dark. */

/** Heights of the windows, in px, by their width: a screen, and a phone. */
const SCREEN_HEIGHT = 800;
const PHONE_HEIGHT = 740;
const PHONE_WIDTH = 480;

/** Puts it in force, with nothing that moves on its way there, and waits until it is painted. */
export async function look(page, { width = 1280, colorScheme = "light" } = {}) {
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  await page.setViewportSize({ width, height: width > PHONE_WIDTH ? SCREEN_HEIGHT : PHONE_HEIGHT });
  await page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  });
}
