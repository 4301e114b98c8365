"""Reading aloud and dictation: the browser's own speech is watched from outside, for a headless one has no voice."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import expect

from tests.browsing import PRICE, Site, begin, send

VOICES = """
  window.spoken = [];
  const voices = [
    { name: "From afar", lang: "en-US", localService: false },
    %s
  ];
  Object.defineProperty(window, "speechSynthesis", { value: {
    getVoices: () => voices,
    speak: said => spoken.push([said.voice.name, said.text]),
    cancel: () => spoken.push("hush"),
  } });
  window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
"""
AT_HOME = VOICES % '{ name: "At home", lang: "en_GB", localService: true }'
MICROPHONE = """
  window.heard = [];
  window.SpeechRecognition = window.webkitSpeechRecognition = class {
    start() { heard.push(this.lang); window.recognition = this; }
    abort() { heard.push("abort"); this.onend(); }
  };
  window.say = text => recognition.onresult(
    { resultIndex: 0, results: [Object.assign([{ transcript: text }], { isFinal: true })] });
"""


async def test_paige_is_read_aloud_once_it_is_switched_on(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link(), before=AT_HOME)
    await begin(page)
    toggle = page.get_by_role("button", name="Read aloud")
    await expect(toggle).to_have_attribute("aria-pressed", "false")
    assert await page.evaluate("spoken.filter(said => said !== 'hush')") == []

    await toggle.click()

    await expect(toggle).to_have_attribute("aria-pressed", "true")
    question = page.locator("#question p")
    said = await page.evaluate("spoken.filter(said => said !== 'hush')")
    assert said == [["At home", text] for text in await question.all_text_contents()]
    await send(page, PRICE, said=1)
    await expect(toggle).to_have_attribute("aria-pressed", "true")
    assert (await page.evaluate("spoken.at(-1)"))[1] == await question.last.text_content()
    assert "hush" in await page.evaluate("spoken.slice(-4)")  # what was still being read is not read to the end
    await page.reload()
    await expect(toggle).to_have_attribute("aria-pressed", "true")
    await toggle.click()
    assert await page.evaluate("spoken.at(-1)") == "hush"
    await send(page, PRICE, said=2)
    assert await page.evaluate("spoken.at(-1)") == "hush"


async def test_a_voice_that_is_not_on_this_device_reads_nothing(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link(), before=VOICES % '{ name: "Anna", lang: "de-DE", localService: true }')
    await begin(page)

    await expect(page.get_by_role("button", name="Read aloud")).to_have_count(0)


async def test_dictation_is_off_until_its_warning_is_read_and_it_is_switched_on(site: Site, visit: Callable[..., Any]):
    page = await visit(await site.link(), before=MICROPHONE)
    await begin(page)
    dictate = page.get_by_role("button", name="Dictate", exact=True)
    await expect(dictate).to_have_count(0)

    await page.get_by_text("More choices").click()
    await expect(page.get_by_text("send what you say to their maker")).to_be_visible()
    await page.get_by_role("button", name="Turn dictation on").click()
    assert await page.evaluate("heard") == []
    await page.get_by_label("Your answer").fill("It began")
    await dictate.click()
    assert await page.evaluate("heard") == ["en"]
    await page.evaluate("say(' with the pilot.')")

    await expect(page.get_by_label("Your answer")).to_have_value("It began with the pilot.")
    await page.get_by_role("button", name="Stop dictating").click()
    assert await page.evaluate("heard.at(-1)") == "abort"
    await page.reload()
    await expect(page.get_by_label("Your answer")).to_have_value("It began with the pilot.")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".line-contact")).to_contain_text("It began with the pilot.")
    await page.get_by_text("More choices").click()
    await page.get_by_role("button", name="Turn dictation off").click()
    await expect(dictate).to_have_count(0)


async def test_a_browser_without_speech_is_offered_none(site: Site, visit: Callable[..., Any]):
    page = await visit(
        await site.link(),
        before="delete window.SpeechRecognition; delete window.webkitSpeechRecognition;"
        "Object.defineProperty(window, 'speechSynthesis', { value: undefined });",
    )
    await begin(page)
    await page.get_by_text("More choices").click()

    await expect(page.get_by_text("Dictation", exact=True)).to_be_hidden()
    await expect(page.get_by_role("button", name="Read aloud")).to_have_count(0)
