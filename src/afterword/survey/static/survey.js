// What the script adds to a page that works without it: the token leaves the address bar, a step does not reload the
// page, a half-typed answer survives a reload, and a lost connection is retried until the answer has arrived, once.

const RETRY_AFTER = [1000, 2000, 4000, 8000, 8000, 15000, 15000, 30000]; // milliseconds; then it waits for the person
const SILENCE = 20000; // milliseconds; the server says something every four seconds, so a silent line is a dead one
const POLL_EVERY = 2000; // milliseconds, while a reply is on its way
const POLLS = 30;
const NEARLY_FULL = 0.9; // of the longest answer; from there on the page counts what is left

const main = document.getElementById("main");
const masthead = document.getElementById("masthead");
const announcer = document.getElementById("announce");

// This tab's own memory: it survives a reload, a pause and a crash whose tabs the browser restores, and ends with the
// tab. Not localStorage: a token, or half a thought, must not wait there for the next person at the same computer.
// Storage may be forbidden; then the token simply stays in the address bar.
const memory = {
  get(key) {
    try {
      return sessionStorage.getItem(`afterword.${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      sessionStorage.setItem(`afterword.${key}`, value);
      return true;
    } catch {
      return false;
    }
  },
};

let token = null;
let sending = false;
let sent = 0; // forms so far; a stop does not wait for the one before it, whose answer then shows nothing new
let polls = 0;

start();

function start() {
  document.documentElement.classList.add("scripted");
  const given = new URL(location.href).searchParams.get("token");
  if (given) {
    if (given !== memory.get("token")) memory.set("language", "");
    token = given;
    if (memory.set("token", given)) history.replaceState(null, "", "/survey");
  } else {
    token = memory.get("token");
  }
  main.addEventListener("submit", onSubmit);
  main.addEventListener("input", onInput);
  main.addEventListener("keydown", onKey);
  if (token && main.querySelector("[data-open-stored]")) open();
  else arrive({ first: true });
}

// The page's own words, which came with it in its language.
function word(key, values = {}) {
  const words = JSON.parse(main.querySelector("#words").dataset.words);
  return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// Pages ---------------------------------------------------------------------------------------------------------

async function open() {
  const waited = main.querySelector("[data-waiting]") !== null;
  try {
    const chosen = memory.get("language");
    const answer = await fetch(`/survey${chosen ? `?language=${encodeURIComponent(chosen)}` : ""}`, {
      headers: { "X-Survey-Token": token },
      cache: "no-store",
    });
    if (answer.status >= 500) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    masthead.replaceChildren(...page.getElementById("masthead").childNodes);
    main.replaceChildren(...page.getElementById("main").childNodes);
    document.title = page.title;
    speakLike(page.documentElement.lang);
    arrive({ first: !waited || main.querySelector("[data-waiting]") !== null });
  } catch {
    const note = main.querySelector("#notice");
    if (note) note.textContent = word("unreachable");
    if (waited) wait();
    else if (!main.querySelector("[data-again]")) main.append(againButton(open));
  }
}

function show(step) {
  main.innerHTML = step.html; // rendered and escaped by our server
  if (step.masthead) masthead.innerHTML = step.masthead; // as above
  if (step.title) document.title = step.title;
  if (step.language) speakLike(step.language);
  arrive({ first: false });
}

function speakLike(language) {
  document.documentElement.lang = language;
  document.querySelector(".skip-link").textContent = main.querySelector("#words").dataset.skip;
}

function arrive({ first }) {
  restoreDraft();
  countLeft();
  const notice = main.querySelector(".notice-error");
  const question = main.querySelector("#question");
  const text = main.querySelector("textarea#text");
  if (!first) {
    const focused = notice ?? text ?? question ?? main.querySelector("#heading") ?? main;
    focused.focus({ preventScroll: true });
    // What has the focus is read out anyway.
    announcer.textContent = question && focused !== question ? question.textContent : "";
  }
  if (notice) notice.scrollIntoView({ block: "center" });
  else if (question) (question.closest("li") ?? question).scrollIntoView({ block: "start" });
  else if (!first) scrollTo(0, 0);
  main.dispatchEvent(new CustomEvent("arrived")); // speech.js listens
  wait();
}

// A reply that is on its way is looked for; looking changes nothing.
function wait() {
  if (!main.querySelector("[data-waiting]")) polls = 0;
  else if (token && polls++ < POLLS) setTimeout(() => !sending && main.querySelector("[data-waiting]") && open(), POLL_EVERY);
}

// Drafts --------------------------------------------------------------------------------------------------------

function turnOf(form) {
  return form.elements.turn?.value ?? "";
}

function onInput(event) {
  if (!event.target.matches("textarea#text")) return;
  event.target.removeAttribute("aria-invalid");
  keepDraft(event.target);
  countLeft();
}

function keepDraft(text) {
  memory.set("draft", JSON.stringify({ token, turn: turnOf(text.form), text: text.value }));
}

function restoreDraft() {
  const text = main.querySelector("textarea#text");
  if (!text) return;
  if (text.value) {
    keepDraft(text);
    return;
  }
  const draft = storedDraft();
  if (draft.token === token && (draft.held || draft.turn === turnOf(text.form))) text.value = draft.text;
}

// What was sent is no draft any more. A break or another language is no answer: what was half typed waits for the next
// text box. Whatever else is pressed, such as the end of mails, leaves question and draft as they are.
function settleDraft(action) {
  if (["pause", "resume", "language"].includes(action)) memory.set("draft", JSON.stringify({ ...storedDraft(), held: true }));
  else if (!["opt_out", "wait"].includes(action)) memory.set("draft", "{}");
}

function storedDraft() {
  try {
    return JSON.parse(memory.get("draft") ?? "{}");
  } catch {
    return {};
  }
}

function countLeft() {
  const text = main.querySelector("textarea#text");
  const shown = main.querySelector("#left");
  const limit = Number(text?.dataset.limit); // 0: none
  if (!limit || !shown) return;
  const left = limit - [...text.value].length;
  const says = left < 0 ? word("over", { count: -left }) : left < limit * (1 - NEARLY_FULL) ? word("left", { count: left }) : "";
  shown.classList.toggle("over", left < 0);
  if (shown.textContent !== says) shown.textContent = says;
}

// Steps ---------------------------------------------------------------------------------------------------------

function onKey(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
    event.preventDefault();
    const { form } = event.target;
    // In the read-back a text is a correction.
    const button = event.target.value.trim() ? form.querySelector('[value="correct"]') : null;
    form.requestSubmit(button ?? form.querySelector("button[type=submit]"));
  }
}

function onSubmit(event) {
  const form = event.target;
  if (form.method !== "post") return;
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button[type=submit]");
  if (sending && button?.value !== "stop") return;
  const fields = new URLSearchParams(new FormData(form));
  if (button?.name) fields.set(button.name, button.value);
  busy(form, true);
  attempt(form, fields, 0, ++sent);
}

// The same fields, with the same client_id, until an answer comes: the server takes them once.
async function attempt(form, fields, tries, number) {
  form.querySelector(".retry")?.remove();
  try {
    const step = await post(form, fields);
    if (number !== sent) return;
    busy(form, false);
    if (!step.error) {
      settleDraft(fields.get("action"));
      if (fields.get("action") === "language") memory.set("language", fields.get("language"));
    }
    if (step.html) show(step);
    else form.append(noticeBox(step.error.message));
  } catch {
    if (number !== sent) return;
    form.querySelector(".typing")?.remove();
    const again = () => attempt(form, fields, tries + 1, number);
    form.append(retryNotice(again, tries < RETRY_AFTER.length ? RETRY_AFTER[tries] : null));
  }
}

// The answer's last line is the next page; the lines before it say that the answer is on its way.
async function post(form, fields) {
  const dead = new AbortController();
  let silence = setTimeout(() => dead.abort(), SILENCE);
  try {
    const answer = await fetch("/survey", {
      method: "POST",
      headers: {
        Accept: "application/x-ndjson",
        "Accept-Language": document.documentElement.lang,
        ...(token ? { "X-Survey-Token": token } : {}),
      },
      body: fields,
      cache: "no-store",
      signal: dead.signal,
    });
    if (!answer.headers.get("content-type")?.startsWith("application/x-ndjson")) throw new Error("not an answer of ours");
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    let last = null;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      clearTimeout(silence);
      silence = setTimeout(() => dead.abort(), SILENCE);
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        last = JSON.parse(line);
        if (last.typing) typing(form);
      }
    }
    form.querySelector(".typing")?.remove();
    // An error of ours without a page passes; one that the form caused would only come again.
    if (!last?.html && !(last?.error?.status < 500)) throw new Error(last?.error?.message ?? "the answer was cut off");
    return last;
  } finally {
    clearTimeout(silence);
  }
}

function busy(form, on) {
  sending = on;
  form.setAttribute("aria-busy", String(on));
  for (const field of form.querySelectorAll("textarea, input[type=text]")) field.readOnly = on;
  for (const button of form.querySelectorAll("button:not([value=stop])")) button.setAttribute("aria-disabled", String(on));
}

function typing(form) {
  if (form.querySelector(".typing")) return;
  const line = document.createElement("p");
  line.className = "typing";
  const dots = document.createElement("span");
  dots.className = "dots";
  dots.setAttribute("aria-hidden", "true");
  dots.append(...[1, 2, 3].map(() => document.createElement("i")));
  line.append(dots, word("moment"));
  form.append(line);
  announcer.textContent = word("moment");
}

function noticeBox(words) {
  const box = document.createElement("div");
  box.className = "notice notice-error retry";
  box.setAttribute("role", "alert");
  const text = document.createElement("p");
  text.textContent = words;
  box.append(text);
  return box;
}

function retryNotice(again, delay) {
  const box = noticeBox(word("lost"));
  const timer = delay === null ? null : setTimeout(next, delay);
  addEventListener("online", next, { once: true });
  function next() {
    clearTimeout(timer);
    removeEventListener("online", next);
    if (box.isConnected) again();
  }
  box.append(againButton(next));
  return box;
}

function againButton(action) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-secondary";
  button.dataset.again = "";
  button.textContent = word("again");
  button.addEventListener("click", () => {
    button.remove();
    action();
  });
  return button;
}
