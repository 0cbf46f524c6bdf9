// The browser, and windows that remember what a page did wrong.
import { chromium } from "playwright-core";

const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--disable-default-apps", "--disable-domain-reliability",
  // Whatever a page may ask of the world, the world is not there; the attempt is seen below.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
];

// Playwright switches off the memory behind the Back button; keepPages leaves it on, as people's browsers do.
export const launch = ({ keepPages = false } = {}) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags,
    ignoreDefaultArgs: keepPages ? ["--disable-back-forward-cache"] : [],
  });

export const desktop = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

// openWindow is a browser window of its own. wrongs collects console errors (a broken content security policy is one),
// script errors and requests that left the origin.
export async function openWindow(browser, origin, { session, lang, ...options } = {}) {
  // Without motion pages stand still at once; without JavaScript Playwright could not even wait for the end of a transition.
  const context = await browser.newContext({ viewport: desktop, locale: "en-US", reducedMotion: "reduce", storageState: session, ...options });
  if (lang) await context.addCookies([{ name: "lang", value: lang, url: origin }]);
  context.setDefaultTimeout(20_000);
  const wrongs = [];
  const requests = [];
  context.on("request", (r) => {
    requests.push(r.url());
    const { protocol } = new URL(r.url());
    if (!r.url().startsWith(origin + "/") && protocol !== "data:" && protocol !== "blob:") wrongs.push(`request to ${r.url()}`);
  });
  context.on("console", (m) => m.type() === "error" && wrongs.push(`console: ${m.text()}`));
  context.on("weberror", (e) => {
    // Chromium reports a page transition that the next click cut short as an error of the page.
    if (!e.error().message.startsWith("Transition was")) wrongs.push(`script: ${e.error().message}`);
  });
  const page = await context.newPage();
  return { context, page, wrongs, requests, close: () => context.close() };
}

// settle waits until letters and layout stand still.
export const settle = (page) =>
  page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
  });
