// Reading aloud and dictation, where the browser has them. Aloud with voices on this device only, so that no text leaves
// it. Dictation sends sound to the browser's maker: off until the person has read so and switched it on, for this tab.

const main = document.getElementById("main");
const synthesis = window.speechSynthesis;
const Recognition = window.SpeechRecognition ?? window.webkitSpeechRecognition;

let listening = null;

const chosen = {
  has(what) {
    try {
      return sessionStorage.getItem(`afterword.${what}`) === "on";
    } catch {
      return false;
    }
  },
  set(what, on) {
    try {
      sessionStorage.setItem(`afterword.${what}`, on ? "on" : "off");
    } catch {
      // then it holds until the next message
    }
  },
};

main.addEventListener("arrived", arrived);
main.addEventListener("click", onClick);
main.addEventListener("submit", hush);
addEventListener("pagehide", hush);
if (synthesis) synthesis.onvoiceschanged = offer;
arrived();

function arrived() {
  hush();
  offer();
  if (chosen.has("aloud")) readAloud();
}

function onClick(event) {
  const button = event.target.closest("button");
  if (button?.matches("[data-read-aloud]")) {
    chosen.set("aloud", button.getAttribute("aria-pressed") !== "true");
    offer();
    if (chosen.has("aloud")) readAloud();
    else hush();
  } else if (button?.matches("[data-dictation-switch]")) {
    chosen.set("dictation", !chosen.has("dictation"));
    if (!chosen.has("dictation")) hush();
    offer();
  } else if (button?.matches("[data-dictate]")) {
    if (listening) hush();
    else dictate();
  }
}

function word(key) {
  return JSON.parse(main.querySelector("#words").dataset.words)[key];
}

function language() {
  return main.querySelector("#question")?.lang || document.documentElement.lang;
}

// Shows what this browser can do, and what is switched on.
function offer() {
  for (const button of main.querySelectorAll("[data-read-aloud]")) {
    button.hidden = !voice();
    button.setAttribute("aria-pressed", String(chosen.has("aloud")));
  }
  for (const box of main.querySelectorAll("[data-dictation]")) {
    const button = box.querySelector("[data-dictation-switch]");
    button.dataset.off ??= button.textContent;
    box.hidden = !Recognition;
    button.textContent = chosen.has("dictation") ? word("dictation_off") : button.dataset.off;
  }
  for (const button of main.querySelectorAll("[data-dictate]")) {
    button.dataset.off ??= button.textContent;
    button.hidden = !Recognition || !chosen.has("dictation");
    button.setAttribute("aria-pressed", String(listening !== null));
    button.textContent = listening ? word("dictating") : button.dataset.off;
  }
}

// Reading aloud -------------------------------------------------------------------------------------------------

function voice() {
  const wanted = language().toLowerCase().split("-")[0];
  return synthesis?.getVoices().find((one) => one.localService && one.lang.toLowerCase().split(/[-_]/)[0] === wanted);
}

function readAloud() {
  const found = voice();
  if (!found) return;
  synthesis.cancel();
  for (const part of main.querySelectorAll("#question p, #question li")) {
    const said = new SpeechSynthesisUtterance(part.textContent);
    said.voice = found;
    said.lang = found.lang;
    synthesis.speak(said);
  }
}

function hush() {
  synthesis?.cancel();
  listening?.abort();
  listening = null;
}

// Dictation -----------------------------------------------------------------------------------------------------

function dictate() {
  const text = main.querySelector("textarea#text");
  if (!text || text.readOnly) return;
  synthesis?.cancel();
  const recognition = new Recognition();
  recognition.lang = language();
  recognition.continuous = true;
  recognition.onresult = (event) => {
    for (const result of [...event.results].slice(event.resultIndex)) {
      if (result.isFinal && !text.readOnly) write(text, result[0].transcript.trim());
    }
  };
  recognition.onerror = (event) => {
    if (event.error !== "aborted" && event.error !== "no-speech") {
      document.getElementById("announce").textContent = word("dictation_failed");
      main.querySelector("#left").textContent = word("dictation_failed");
    }
  };
  recognition.onend = () => {
    if (listening === recognition) listening = null;
    offer();
  };
  listening = recognition;
  recognition.start();
  offer();
}

function write(text, words) {
  text.value = [text.value.trimEnd(), words].filter(Boolean).join(" ");
  text.dispatchEvent(new Event("input", { bubbles: true }));
}
