// What must hold of a page, one function per promise. Each throws a sentence that says what is wrong.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { FileSystemConfigLoader, HtmlValidate } from "html-validate";
import { expect, none } from "./runner.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const validator = new HtmlValidate(new FileSystemConfigLoader());

// accessible runs axe. Colours depend on the theme, the rest does not, so dark pages are asked about contrast alone.
export async function accessible(page, { contrastOnly = false } = {}) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource); // works under the strict policy
  const runOnly = contrastOnly ? ["color-contrast", "link-in-text-block"] : rules;
  const found = await page.evaluate(
    async (runOnly) =>
      (await axe.run(document, { runOnly, resultTypes: ["violations"], elementRef: false })).violations.map(
        (v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? ""}`).join(" | ")}`,
      ),
    runOnly,
  );
  none(found, "axe");
}

// validHTML checks the markup as sent, not as a browser mends it.
export async function validHTML(html) {
  const report = await validator.validateString(html);
  none(report.results.flatMap((r) => r.messages.map((m) => `${m.line}:${m.column} ${m.ruleId}: ${m.message}`)), "HTML");
}

// fits says that nothing makes the page scroll sideways, and names what would.
export async function fits(page) {
  const wide = await page.evaluate(() => {
    const over = document.documentElement.scrollWidth - innerWidth;
    if (over <= 0) return [];
    const scrolls = (e) => e && (/auto|scroll|hidden|clip/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
    const guilty = [...document.querySelectorAll("body *")].filter((e) => {
      const r = e.getBoundingClientRect();
      return (r.right > innerWidth + 1 || r.left < -1) && !scrolls(e.parentElement) && !e.closest(".vh");
    });
    return [`${over} px too wide at ${innerWidth} px`, ...guilty.slice(-4).map((e) => `${e.tagName}.${e.className} ${(e.textContent ?? "").trim().slice(0, 40)}`)];
  });
  none(wide, "sideways scroll");
}

// spaced sets the text spacing of WCAG 1.4.12, as a reader's own style sheet would.
export const spaced = (page, on) =>
  page.evaluate((on) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-block-end: 2em !important }");
    document.adoptedStyleSheets = on ? [sheet] : [];
  }, on);

// cut lists texts that do not fit their box and are clipped by it.
export async function uncut(page) {
  const cut = await page.evaluate(() =>
    [...document.querySelectorAll("main *, .dock *, .side *")]
      .filter((e) => {
        if (!e.childNodes.length || e.closest(".vh, svg, .mark, [hidden]") || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) return false;
        const c = getComputedStyle(e);
        return e.clientWidth > 1 && c.display !== "inline" && c.overflowX !== "visible" && c.overflowX !== "auto" && e.scrollWidth > e.clientWidth + 1;
      })
      .map((e) => `${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 50)}`),
  );
  none(cut, "cut text");
}

// bigEnough is WCAG 2.5.8: targets of 24 px, but links within sentences. What a link or label is stretched over counts.
export async function bigEnough(page) {
  const small = await page.evaluate(() => {
    const target = (e) => {
      const over = getComputedStyle(e, "::after");
      if (over.position === "absolute" && over.inset === "0px") return e.offsetParent ?? e.closest("li");
      return e.labels?.[0]?.contains(e) ? e.labels[0] : e;
    };
    return [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
      .filter((e) => e.checkVisibility() && !e.closest(".vh, .skip, p, dd, blockquote"))
      .map((e) => [e, target(e).getBoundingClientRect()])
      .filter(([, r]) => r.width > 1 && (r.height < 24 || r.width < 24))
      .map(([e, r]) => `${(e.textContent || e.name || e.tagName).trim().slice(0, 30)} ${Math.round(r.width)}×${Math.round(r.height)}`);
  });
  none(small, "targets under 24 px");
}

// forms can be sent without JavaScript: each has a button of type submit.
export async function sendable(page) {
  const stuck = await page.evaluate(() =>
    [...document.forms]
      .filter((f) => ![...f.elements].some((e) => e.type === "submit"))
      // A form of a passkey alone is script's own; without script it is not shown.
      .filter((f) => !f.querySelector("[data-pk-add], [data-pk-use]"))
      .map((f) => f.getAttribute("action") ?? f.outerHTML.slice(0, 80)),
  );
  none(stuck, "forms without a submit button");
}

// alive says that without JavaScript no button is shown that only JavaScript would answer.
export async function alive(page) {
  const dead = await page.evaluate(() =>
    [...document.querySelectorAll("button:not([type=submit])")].filter((b) => b.checkVisibility()).map((b) => b.textContent.trim().slice(0, 40)),
  );
  none(dead, "dead buttons");
}

// discreet compares the title and the address with words of the record.
export function discreet(title, path, words) {
  expect(title.trim().length > 3, "no title");
  const plain = (s) => ` ${s.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `;
  const text = plain(title) + plain(decodeURIComponent(path));
  none(words.filter((w) => text.includes(plain(w))), `"${title}" at ${path} tells of the record`);
}

// walk presses Tab through the page: each stop is seen, ringed, not hidden under the bars, and the way ends.
export async function walk(page) {
  const stops = [];
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const e = document.activeElement;
      if (!e || e === document.body) return null;
      const r = e.getBoundingClientRect();
      const ring = (x) => {
        const c = getComputedStyle(x);
        return (c.outlineStyle !== "none" && parseFloat(c.outlineWidth) >= 2) || c.boxShadow.includes("3px") || c.boxShadow.includes("6px");
      };
      const around = [e, e.closest("li"), e.nextElementSibling, e.closest("label"), e.parentElement].filter(Boolean);
      const points = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]];
      const seen = points.some(([x, y]) => {
        const hit = document.elementFromPoint(r.left + r.width * x, r.top + r.height * y);
        return hit && around.some((a) => a === hit || a.contains(hit));
      });
      return { id: [...document.querySelectorAll("*")].indexOf(e), name: `${e.tagName} ${(e.textContent || e.name || "").trim().slice(0, 30)}`, ring: around.some(ring), seen };
    });
    if (!stop || stops.some((s) => s.id === stop.id)) break;
    stops.push(stop);
  }
  expect(stops.length > 5 && stops.length < 200, `${stops.length} stops`);
  none(stops.filter((s) => !s.ring).map((s) => s.name), "focus without a ring");
  none(stops.filter((s) => !s.seen).map((s) => s.name), "focus out of sight");
  return stops.length;
}

// quiet says that the window did nothing wrong since it was last asked.
export function quiet(window) {
  const wrongs = window.wrongs.splice(0);
  none(wrongs, "the browser complains");
}
