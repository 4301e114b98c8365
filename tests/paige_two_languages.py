"""A small guide in English and German, with somebody who tells its story in either."""

# ruff: noqa: E501  # what is said and what is expected stand whole on one line

from afterword import paige
from tests.paige_talks import Talk

TEXT = """
schema: 1
name: Tiny
slug: tiny
language: en
minutes: 6
topics:
  - {id: start, intent: What set it off., priority: 2, order_group: 1, must_have: true, max_probes: 1}
  - {id: criteria, intent: What was compared., priority: 1, order_group: 2, must_have: true}
  - id: choice
    intent: What decided.
    priority: 1
    order_group: 3
    must_have: true
    driver: true
    max_probes: 3
    slots:
      - {id: reason, kind: text, must_have: true, good_enough: [example, comparison]}
      - {id: weight, kind: choice, must_have: true, good_enough: [weight]}
  - {id: people, intent: Who had a say., priority: 3, order_group: 3, slots: [{id: roles, kind: text}]}
  - id: team
    intent: How our people were.
    priority: 2
    order_group: 4
    must_have: true
    slots: [{id: dealings, kind: text, must_have: true}, {id: rating, kind: scale, must_have: true}]
languages:
  en:
    opening:
      - "Hi {first_name}, I'm {interviewer}, an AI interviewer working for {vendor}; {reader} will read this. About {minutes} minutes."
      - "Hello, I'm {interviewer}, an AI interviewer working for {vendor}; {reader} will read this. It takes {minutes} minutes."
    catch_all: ["What should I have asked that I didn't?"]
    topics:
      start:
        label: The start
        main: ["What was going on that made you start looking?", "How did your search begin?", "What set off your search?"]
        simpler: ["Which problem did you want to solve?"]
        keywords: [audit]
      criteria:
        label: Criteria
        main: ["What did you look at most closely?", "Which things mattered to you when you compared?", "What were you checking for first?"]
        simpler: ["What did the new tool have to do well?"]
        keywords: [integration, price]
      choice:
        label: The choice
        main: ["How did it come down to the final choice?", "Tell me how the decision was made in the end.", "What tipped the scales?"]
        simpler: ["What was the main reason?"]
        keywords: [decision, reason]
        slots:
          reason: {cues: [decided, reason, went with, price, because]}
          weight:
            ask: ["How much did that reason count in the end: decisive, one factor, or minor?", "How heavily did that reason weigh?"]
            choices: [Decisive, One factor, Minor]
      people:
        label: People
        main: ["Who had a say in it?", "Which people were involved in the decision?", "Tell me who decided with you."]
        simpler: ["Which roles were in the room?"]
        keywords: [cfo]
        slots: {roles: {cues: [cfo, team, legal]}}
      team:
        label: Our team
        main: ["How was it to work with {vendor}'s team?", "Tell me about the people at {vendor}.", "How did you get along with {vendor}?"]
        simpler: ["How were the calls with {vendor}?"]
        keywords: [sales]
        slots:
          dealings: {cues: [support, calls, slow, quick, answered]}
          rating: {ask: ["How easy was that, from 1, very difficult, to 5, very easy?", "From 1 to 5, how easy was it?"], choices: ["1", "2", "3", "4", "5"]}
  de:
    opening:
      - "Guten Tag {first_name}, ich bin {interviewer}, eine KI, und führe dieses Interview für {vendor}; {reader} werden es lesen. Es dauert etwa {minutes} Minuten."
      - "Guten Tag, ich bin {interviewer}, eine KI, und führe dieses Interview für {vendor}; {reader} werden es lesen. Es dauert {minutes} Minuten."
    catch_all: ["Was hätte ich noch fragen sollen?"]
    topics:
      start:
        label: Der Anfang
        main: ["Was war los, dass Sie angefangen haben zu suchen?", "Wie hat Ihre Suche begonnen?", "Was hat die Suche ausgelöst?"]
        simpler: ["Welches Problem wollten Sie lösen?"]
        keywords: [audit]
      criteria:
        label: Kriterien
        main: ["Worauf haben Sie am genauesten geschaut?", "Welche Dinge waren Ihnen beim Vergleich wichtig?", "Was haben Sie zuerst geprüft?"]
        simpler: ["Was musste das neue Werkzeug gut können?"]
        keywords: [schnittstelle, preis]
      choice:
        label: Die Wahl
        main: ["Wie kam es zur endgültigen Entscheidung?", "Erzählen Sie, wie die Entscheidung am Ende fiel.", "Was gab den Ausschlag?"]
        simpler: ["Was war der wichtigste Grund?"]
        keywords: [entscheidung, grund]
        slots:
          reason: {cues: [entschieden, grund, preis, weil, ausschlag]}
          weight:
            ask: ["Wie sehr zählte dieser Grund am Ende: entscheidend, ein Faktor oder nebensächlich?", "Wie schwer wog dieser Grund?"]
            choices: [Entscheidend, Ein Faktor, Nebensächlich]
      people:
        label: Beteiligte
        main: ["Wer hatte dabei mitzureden?", "Welche Menschen waren an der Entscheidung beteiligt?", "Erzählen Sie, wer mit Ihnen entschieden hat."]
        simpler: ["Welche Rollen saßen mit im Raum?"]
        keywords: [cfo]
        slots: {roles: {cues: [cfo, team, rechtsabteilung]}}
      team:
        label: Unser Team
        main: ["Wie war die Zusammenarbeit mit dem Team von {vendor}?", "Erzählen Sie von den Menschen bei {vendor}.", "Wie kamen Sie mit {vendor} zurecht?"]
        simpler: ["Wie waren die Gespräche mit {vendor}?"]
        keywords: [vertrieb]
        slots:
          dealings: {cues: [support, gespräche, langsam, schnell, antwort]}
          rating: {ask: ["Wie leicht war das, von 1, sehr schwer, bis 5, sehr leicht?", "Von 1 bis 5: Wie leicht war das?"], choices: ["1", "2", "3", "4", "5"]}
"""
TINY = paige.load_guide_text(TEXT)

STORY = {
    "en": {
        "start": "Our old tool could not export logs, and the audit in March gave us six weeks because legal insisted.",
        "criteria": "We looked at the integration first, because when we ran the trial the nightly sync broke twice.",
        "choice": "In the final demo Globex showed us the sync live, whereas yours failed, so we went with Globex.",
        "people": "Our CFO and the head of security had the final say, and I ran the evaluation in May.",
        "team": "Maria answered within two hours when we got stuck, whereas the other vendor took three days.",
        "": "You should have asked our data team, since they will decide about the next one in 2027.",
    },
    "de": {
        "start": "Unser altes Tool konnte keine Protokolle exportieren, und die Prüfung im März ließ uns sechs Wochen, weil die Rechtsabteilung darauf bestand.",
        "criteria": "Wir haben zuerst auf die Schnittstelle geschaut, weil im Test der nächtliche Abgleich zweimal abgebrochen ist.",
        "choice": "In der letzten Demo zeigte uns Globex den Abgleich live, während eurer ausfiel, also haben wir uns für Globex entschieden.",
        "people": "Unser CFO und die Leiterin der IT hatten das letzte Wort, und ich habe die Auswahl im Mai geleitet.",
        "team": "Maria gab uns binnen zwei Stunden eine Antwort, als wir feststeckten, während der andere Anbieter drei Tage brauchte.",
        "": "Sie hätten unser Datenteam fragen sollen, denn das entscheidet 2027 über das nächste Werkzeug.",
    },
}


def telling(language: str):
    """Somebody who tells the story in one language, whatever they are asked in."""

    def reply(talk: Talk) -> tuple[str, str]:
        match talk.state.expects:
            case "scale":
                return "answer", talk.state.choices[len(talk.state.choices) // 2]
            case "recap":
                return "confirm", ""
            case "experience":
                return "answer", '{"satisfaction": 6, "captured": 7, "recommend": "yes"}'
            case _:
                return "answer", STORY[language].get(talk.state.pending.topic, "Unser Einkauf")

    return reply
