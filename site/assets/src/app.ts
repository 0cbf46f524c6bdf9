// What JavaScript adds to pages that work without it. Nothing here writes markup (Trusted Types), keeps anything on the
// device, or sends anything but the session's own forms.
const $ = <T extends HTMLElement>(s: string) => document.querySelector<T>(s);
const $$ = <T extends HTMLElement>(s: string) => [...document.querySelectorAll<T>(s)];
const root = document.documentElement;
const post = (path: string) =>
  fetch(path, {
    method: "POST",
    keepalive: true,
    redirect: "manual",
    body: new URLSearchParams({ csrf: $<HTMLMetaElement>('meta[name="csrf"]')?.content ?? "" }),
  });

// Quick exit: hide the page at once and leave no way back to it. The link itself ends the session and leads elsewhere.
const exit = $<HTMLAnchorElement>("[data-exit]");
const leave = (e: Event) => {
  e.preventDefault();
  root.hidden = true;
  document.title = "";
  location.replace(exit!.href);
};
exit?.addEventListener("click", leave);
let shifts: number[] = [];
if (exit)
  addEventListener("keydown", (e) => {
    if (e.repeat) return;
    if (e.key !== "Shift") return void (shifts = []);
    shifts = [...shifts.filter((t) => e.timeStamp - t < 2000), e.timeStamp];
    if (shifts.length > 2) leave(e);
  });

// A form is sent once. The button stays enabled, or its name and value would not be sent.
const sent = new WeakSet<Event["target"] & object>();
for (const f of $$<HTMLFormElement>("form[data-once]"))
  f.addEventListener("submit", (e) => {
    if (sent.has(f)) return e.preventDefault();
    sent.add(f);
    (e as SubmitEvent).submitter?.setAttribute("aria-disabled", "true");
  });

// Menus are <details>: close on Escape, on a click beside them, when focus leaves.
for (const d of $$<HTMLDetailsElement>("details[data-menu]")) {
  const inside = (e: Event, to: EventTarget | null) => to instanceof Node && d.contains(to);
  addEventListener("click", (e) => inside(e, e.target) || (d.open = false));
  d.addEventListener("focusout", (e) => e.relatedTarget && !inside(e, e.relatedTarget) && (d.open = false));
  d.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || !d.open) return;
    d.open = false;
    d.querySelector("summary")?.focus();
  });
}

for (const b of $$("[data-print]")) {
  b.hidden = false;
  b.addEventListener("click", () => print());
}

// The error summary takes the focus, so that it is read first (WCAG 3.3.1).
$("#errors")?.focus();

// Two minutes before the session ends the page asks; at the end it leaves, so that nothing stays on the screen.
const life = Number(document.body.dataset.expires) * 1000;
const ask = $<HTMLDialogElement>("#expires");
if (life && ask?.showModal) {
  let warn = 0, end = 0;
  const start = () => {
    clearTimeout(warn);
    clearTimeout(end);
    warn = setTimeout(() => ask.showModal(), Math.max(life - 120_000, life / 2));
    end = setTimeout(() => {
      root.hidden = true;
      location.replace("/signin");
    }, life);
  };
  ask.addEventListener("close", () => {
    start();
    post("/session/stay").then((r) => r.ok || location.reload(), () => {});
  });
  start();
}

// A page kept by the back button is asked for again: it may be somebody else's turn, or the session over (SES-06).
addEventListener("pageshow", (e) => {
  if (!e.persisted) return;
  root.hidden = true;
  location.reload();
});

// The worker keeps static files and the offline page. register() wants a TrustedScriptURL under Trusted Types.
if ("serviceWorker" in navigator && isSecureContext) {
  const path = "/sw.js";
  const policy = (window as any).trustedTypes?.createPolicy("sw", {
    createScriptURL: (u: string) => {
      if (u !== path) throw new TypeError(u);
      return u;
    },
  });
  addEventListener("load", () => navigator.serviceWorker.register(policy?.createScriptURL(path) ?? path).catch(() => {}));
}

export {};
