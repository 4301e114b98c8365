"""How German answers are recognized: word lists and patterns, no logic. All patterns are matched on folded text,
which has "ss" for "ß"; "ae" stands for "ä" as well."""

# ruff: noqa: E501  # a pattern broken over lines and a list of 150 quoted words cannot be read

import re

from afterword.paige.languages import Language, Stances

_UMLAUTS = {"ä": "(?:ä|ae)", "ö": "(?:ö|oe)", "ü": "(?:ü|ue)"}


def _pattern(*patterns: str) -> re.Pattern[str]:
    """One pattern that finds any of these, with umlauts in either spelling."""
    text = "|".join(f"(?:{pattern})" for pattern in patterns)
    return re.compile("".join(_UMLAUTS.get(letter, letter) for letter in text))


def _words(text: str) -> frozenset[str]:
    """The words of a list, with umlauts in either spelling."""
    plain = text.split()
    return frozenset(plain) | {word.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue") for word in plain}


_POLITE = r"(?:(?:ok(?:ay)?|bitte|danke|entschuldigung|sorry|nein|nee|hey|hallo|so|gut|also|ja|leider|paige)[,.!]* )*"
_SURVEY = r"(?:das|dieses|die|diese) (?:ganze )?(?:interview|gespräch|umfrage|befragung)"
_AND_SO = r"(?:jetzt|hier|bitte|gern|gerne|lieber|nun|sofort|damit|an dieser stelle|das|es|das ganze)"
_END = r"(?:aufhören|abbrechen|beenden|stoppen|schluss machen)"
# Where a command begins, and not a story.
_TOLD = r"(?:^|[.!?,;:] |\b(?:bitte|jetzt|und|dann) )"
_TELL = r"(?:sagen|beantworten|antworten|teilen|mitteilen|preisgeben|verraten|äussern|sprechen|reden|eingehen|nennen|kommentieren|offenlegen)"
_GIVE_AWAY = r"(?:teilen|mitteilen|preisgeben|verraten|äussern|sprechen|reden|eingehen|nennen|kommentieren|offenlegen|weitergeben)"
_MORE = r"(?: (?:das|es|leider|wirklich|ehrlich gesagt|gar|jetzt|gerade|auch|so|selbst|davon|da|dazu|daran|nicht|nichts|nix|mehr|genau|ganz|im detail))*[,.! ]*"

_PRICE = r"(?:der preis|die preise|die kosten|das geld|preis|preise|kosten|geld)"
_MUCH = r"(?:wirklich |sehr |immer |einfach |so |ziemlich |eigentlich |extrem |ganz |richtig )*"
_WELL = r"(?:grossartig|ausgezeichnet|hervorragend|gut|super|schnell|hilfreich|zuverlässig|perfekt|reibungslos|einfach|stabil|toll)"
_BADLY = (
    r"(?:langsam|schlecht|schrecklich|furchtbar|unzuverlässig|nutzlos|umständlich|mühsam|schwierig|instabil|"
    r"eine katastrophe|ein albtraum|träge)"
)
_SUBJECTS = {
    "support": r"(?:der|euer|ihr|dein) support",
    "team": r"(?:der vertrieb|das team|euer team|ihr team|ihr vertrieb|euer vertrieb)",
    "integration": r"(?:die|eure|ihre) (?:integration|schnittstelle|anbindung)",
    "product": r"(?:das produkt|das tool|die software|die oberfläche|euer produkt|ihr produkt|eure software|ihre software|die plattform)",
    "rollout": r"(?:die einführung|das onboarding|die migration|die einrichtung|der rollout)",
    "reporting": r"(?:das reporting|die berichte|die auswertungen)",
    "demo": r"(?:die demo|der test|der pilot)",
}

LANGUAGE = Language(
    code="de",
    name="Deutsch",
    stop_whole=_pattern(
        rf"{_POLITE}(?:"
        r"stopp?|halt|aufhören|abbrechen|abbruch|beenden|ende|schluss(?: jetzt| damit)?|genug(?: jetzt| davon)?|"
        r"(?:es|das|mir) reicht(?:'?s)?(?: (?:jetzt|mir|für heute))*|tschüss?|auf wiedersehen|"
        r"(?:ich habe )?kein interesse(?: mehr| daran)*|ich bin nicht interessiert|"
        r"hör(?:en)? (?:sie )?(?:bitte |jetzt |damit )*auf|keine (?:weiteren )?fragen(?: mehr)?|"
        rf"ich (?:will|möchte|mag|würde)(?: {_AND_SO})*(?: {_SURVEY})?(?: {_AND_SO})* (?:{_END}|nicht mehr(?: weitermachen)?)|"
        r"ich (?:muss|sollte)(?: (?:jetzt|leider|dann|nun))* (?:los|weg|gehen|aufhören|schluss machen)|"
        r"ich bin (?:fertig|raus)(?: (?:hier|damit))?|"
        rf"(?:können|könnten|wollen|sollen) wir(?: {_AND_SO})*(?: {_SURVEY})?(?: {_AND_SO})* {_END}|"
        rf"(?:lassen sie uns|lass uns)(?: {_AND_SO})*(?: {_SURVEY})?(?: {_AND_SO})* {_END}|"
        rf"(?:{_SURVEY}|interview|gespräch|umfrage|befragung)(?: {_AND_SO})* (?:beenden|abbrechen|stoppen)|"
        rf"(?:beenden|stoppen|brechen|beende|stoppe) (?:sie )?(?:bitte )?{_SURVEY}(?: ab)?|"
        r"lass(?:en sie)? mich (?:bitte )?in ruhe"
        r")(?:,? (?:bitte|danke|sofort|jetzt|hier|tschüss?|vielen dank|für heute))*[.!? ]*"
    ),
    stop_within=_pattern(
        rf"\bich (?:will|möchte|würde)(?: {_AND_SO})* {_SURVEY}(?: {_AND_SO})* {_END}\b",
        rf"(?:^|[.!?;,] )(?:bitte )?(?:beenden|stoppen|brechen) (?:sie )?(?:bitte )?{_SURVEY}\b",
        r"\bich (?:will|möchte)(?: (?:hier|jetzt|damit|da))* (?:nicht (?:mehr )?(?:weitermachen|fortfahren|teilnehmen|mitmachen|weiter antworten)|"
        r"keine (?:weiteren )?fragen (?:mehr )?beantworten)\b",
        rf"\bich (?:will|möchte)(?: {_AND_SO})* aufhören[.! ]*$",
        r"(?:^|[.!?] )(?:bitte )?lass(?:en sie)? mich (?:bitte )?in ruhe\b",
        r"[.!?,] (?:bitte )?(?:stopp?|aufhören|abbrechen|schluss)(?: (?:jetzt|bitte|hier))?[.!]*$",
    ),
    delete=_pattern(
        r"\b(?:lösch(?:en|t|e)?|entfern(?:en|t|e)?|vernichte[nt]?) (?:sie )?(?:bitte )?(?:alle |all )?(?:meine|diese antworten|dieses interview)\b",
        r"\bmeine (?:\w+ )?(?:daten|antworten|angaben) (?:(?:bitte|wieder|sofort|alle|komplett) )*(?:gelöscht|löschen|entfernen|zurückziehen)\b",
        r"\bich (?:widerrufe|ziehe) (?:hiermit )?(?:meine|die) (?:einwilligung|zustimmung|antworten|teilnahme|angaben)\b",
        r"(?:^|[.!?,] )(?:bitte )?(?:vergessen sie mich|alles löschen|löschen sie (?:bitte )?alles)\b",
    ),
    opt_out=_pattern(
        r"(?:^|[.!?,;] |\bbitte )(?:bitte )?(?:abmelden|abbestellen|austragen|melden sie mich (?:bitte )?ab)\b",
        r"\bbitte keine (?:weiteren )?(?:e-?mails?|mails?|nachrichten)\b",
        r"\bich (?:will|möchte|wünsche) (?:bitte )?keine (?:weiteren )?(?:e-?mails?|mails?|nachrichten)\b",
        r"\b(?:schicken|senden|schreiben) sie mir (?:bitte )?(?:keine|nicht mehr|nie wieder|nie mehr)\b",
        r"\b(?:nehmen|streichen|entfernen|löschen) sie mich (?:bitte )?(?:von|aus) (?:\w+ )?(?:\w*liste\w*|\w*verteiler)\b",
        r"\b(?:kontaktieren|belästigen) sie mich (?:bitte )?(?:nicht|nie) (?:mehr|wieder)\b",
        r"\bhören sie auf,? mir (?:\w+ )?zu (?:schreiben|schicken|senden|mailen)\b",
    ),
    distress=_pattern(
        r"\b(?:bringe? mich um|mich um(?:zu)?bringen|mir etwas an(?:zu)?tun)\b",
        r"\b(?:suizid|selbstmord)\w*",
        r"\bich (?:will|möchte|wollte) (?:nur noch )?(?:nicht mehr leben|nicht mehr weiterleben|sterben)\b",
        r"\bich kann (?:einfach )?nicht mehr(?: weiter)?(?:[.!,]|$)",
        r"\bpanikattacken?\b|\bnervenzusammenbruch\b",
        r"\bich bin (?:\w+ )?(?:verzweifelt|zusammengebrochen|am weinen)\b|\bich weine\b",
        r"\bmir geht(?:'s| es) (?:\w+ )?(?:\w+ )?(?:sehr schlecht|wirklich schlecht|gar nicht gut|überhaupt nicht gut|richtig schlecht)\b",
        r"\bmeine? (?:frau|mann|partner(?:in)?|mutter|vater|mama|papa|sohn|tochter|kind|bruder|schwester|freund(?:in)?|eltern) "
        r"(?:ist|sind|wurde) (?:\w+ ){0,3}(?:gestorben|verstorben|tot|umgekommen)\b",
        r"\bich habe (?:\w+ ){0,3}mein(?:e|en)? (?:job|stelle|arbeit|frau|mann|kind|vater|mutter|sohn|tochter) verloren\b",
        r"\bbei mir wurde (?:\w+ ){0,3}krebs\b|\bich habe krebs\b",
    ),
    abuse=_pattern(
        r"\b(?:fick|verpiss) dich\b|\bfickt euch\b|\bverpisst euch\b|\bverpissen sie sich\b",
        r"\bleck(?:t|en sie)? mich\b|\bfahr(?:t|en sie)? zur hölle\b",
        r"\bhalt(?:et|en sie)? (?:einfach |endlich )?(?:die|das|deine|dein|eure|ihre|ihren) (?:klappe|maul|fresse|schnauze)\b|\bhalt'?s maul\b",
        r"\b(?:arschl(?:och|öcher)|wichser|hurensohn|missgeburt|drecksbot|scheissbot)\b",
        r"\b(?:du|sie|ihr|so ein|was für ein) (?:\w+ )?(?:vollidiot|idiot|trottel|schwachkopf|depp)\b",
        r"\b(?:dumme|blöde|scheiss|verdammte|nutzlose|bescheuerte)[rs]? (?:bot|roboter|maschine|ki|chatbot|ding)\b",
        r"\bdu bist (?:\w+ )?(?:dumm|blöd|nutzlos|wertlos|ein witz|unfähig|scheisse)\b|\bihr seid (?:\w+ )?(?:dumm|idioten|scheisse|unfähig)\b",
        r"^(?:das ist |was für ein |so ein )?(?:spam|scheisse?|schwachsinn|bullshit|müll|dreck)\b.{0,30}$",
    ),
    injection=_pattern(
        r"\b(?:ignorier(?:e|en|t)?|vergiss|vergessen|missachten?|überschreiben?) (?:sie )?(?:bitte )?(?:(?:alle|alles|sämtliche|die|deine|ihre|meine) )*"
        r"(?:vorherigen|bisherigen|obigen|vorigen|vorangegangenen|früheren)\b",
        rf"{_TOLD}(?:ignoriere|ignorieren sie|vergiss|vergessen sie) (?:bitte )?(?:(?:alle|alles|sämtliche|die|deine|ihre|meine) )*"
        r"(?:anweisungen|regeln|vorgaben|instruktionen|befehle)\b",
        r"\b(?:dein|deinen|ihr|ihren|den) system-?prompt\b",
        r"^\W*(?:system|assistent|entwickler|admin) ?:",
        rf"{_TOLD}(?:wiederhole|wiederholen sie|gib|geben sie|zeige?|zeigen sie|drucke|übersetze|übersetzen sie|verrate|verraten sie|verschlüssle) "
        r"(?:mir )?(?:bitte )?(?:den|die|das|alle|alles|deinen?|ihren?)\b.{0,40}\b(?:oben|obigen?|prompt|anweisungen|base ?64|notizen|kontext|briefing|wörtlich|instruktionen)\b",
        r"\b(?:du bist (?:jetzt|nun|ab jetzt|ab sofort)|ab (?:jetzt|sofort) bist du) (?:ein|eine|der|die|im|mein|frei)\b",
        rf"{_TOLD}(?:tu|tun sie) so,? als\b|{_TOLD}verhalte dich (?:wie|als)\b",
        r"\b(?:entwickler|debug|admin)-?modus (?:aktivieren|einschalten|an)\b|\b(?:im|in den) entwicklermodus\b|\bjail ?break",
        r"\bich bin (?:der|dein|ihr|ein) (?:system)?(?:admin|administrator|entwickler|ersteller)\b.{0,60}\b(?:notizen|prompt|anweisungen|zugriff|zeig\w*)\b",
    ),
    hurry=_pattern(
        r"\b(?:nur|bloss) (?:noch )?(?:eine?|zwei|drei|fünf|ein paar|wenige|\d+) ?min(?:ute)?n?\b",
        r"\bich hab'?e? (?:(?:leider|gerade|jetzt|im moment) )*(?:nur )?(?:wenig|kaum|keine|nicht viel) zeit\b",
        r"\bich bin (?:(?:gerade|leider|etwas) )*(?:in eile|sehr beschäftigt|unter zeitdruck|im stress)\b|\bich hab'?e? es (?:\w+ )?eilig\b",
        r"\b(?:machen|halten) (?:sie|wir) (?:es|das) (?:bitte )?kurz\b|\bbitte kurz(?: halten)?[.! ]*$|\bfassen sie sich (?:bitte )?kurz\b",
    ),
    faq={
        "length": _pattern(
            r"\bwie (?:lange|viel zeit) (?:dauert|geht|braucht|brauche ich|brauchen wir|wird) (?:(?:das|es|dies|dieses|hier|denn|noch|ich|wir|interview|gespräch|die umfrage|für)\b ?)+",
            r"\bwie lange noch\b|\bwie viele (?:\w+ )?(?:fragen|minuten)\b",
            r"\bsind wir (?:\w+ )?(?:fertig|durch|am ende)\b|\bwann (?:ist|sind) (?:das|es|wir) (?:\w+ )?(?:vorbei|fertig|zu ende|durch)\b",
        ),
        "human": _pattern(
            r"\b(?:bist du|sind sie|seid ihr) (?:(?:ein|eine|denn|eigentlich|überhaupt|echter?|echte|richtiger?|wirklich|etwa|nur) )*"
            r"(?:mensch|bot|roboter|ki|k\.i\.|person|maschine|chatbot|computer|chat ?gpt|gpt|programm|automat|echt|künstliche)\b",
            r"\b(?:spreche|rede|schreibe|chatte|unterhalte) ich (?:(?:hier|gerade|eigentlich|mich|da|jetzt) )*mit\b",
            r"\bmit wem (?:spreche|rede|schreibe|chatte|habe) ich\b",
            r"\bist (?:das|dies|hier|da) (?:(?:hier|ein|eine|echter?|echte|denn|jemand|eigentlich) )*(?:bot|ki|mensch|maschine|roboter|person|automatisiert|computer|chatbot)\b",
            r"\bmensch oder (?:eine? )?(?:maschine|ki|bot|roboter|computer)\b|\b(?:ki|bot|maschine|roboter) oder (?:ein )?(?:echter )?mensch\b",
            r"\b(?:sitzt|ist) (?:da|dort|hier) (?:\w+ )?(?:jemand|ein mensch|ein echter mensch|eine echte person)\b",
        ),
        "reader": _pattern(
            r"\bwer (?:(?:wird|kann|alles|darf|denn|noch|das|dies|es|hier|meine|diese|antworten|eigentlich|später) )*(?:liest|lesen|sieht|sehen|bekommt|bekommen|erhält|einsehen|hat zugriff|hat zugang)\b",
            r"\b(?:ist|sind|bleibt|bleiben|wird|werden) (?:das|dies|es|meine|diese|die|alles|mein)\b.{0,40}\b(?:anonym\w*|vertraulich|weitergegeben|privat|geteilt|genannt)\b",
            r"\b(?:erfährt|sieht|liest|erfahren|sehen|lesen) (?:das |es )?(?:mein|meine|der|ihr|unser)\b.{0,30}\b(?:chef\w*|arbeitgeber|vertrieb\w*|kolleg\w*|vorgesetzte\w*)\b",
            r"\bfür wen (?:ist|arbeiten|fragen|arbeitest|fragst)\b",
        ),
        "why_me": _pattern(
            r"\b(?:warum|wieso|weshalb) (?:(?:gerade|ausgerechnet|denn) )*(?:ich\b|fragen sie (?:\w+ )?mich|bekomme ich|werde ich|haben sie mich|fragst du mich)",
            r"\bwoher haben sie (?:denn )?(?:meine|mein|meinen)\b|\bwer hat ihnen (?:denn )?(?:meine|mein|meinen)\b",
        ),
        "privacy": _pattern(
            r"\bwas (?:passiert|geschieht|machen sie|machst du|macht ihr|wird) (?:\w+ )?mit (?:meinen|den|diesen|dem|meiner|all)\b",
            r"\b(?:wie lange|wo) (?:werden|wird|speichern|bewahren|bleiben|behalten)\b.{0,40}\b(?:gespeichert|aufbewahrt|daten|antworten|auf|das)\b",
            r"\bwird (?:das|dies|es|hier)\b.{0,20}\b(?:aufgezeichnet|aufgenommen|mitgeschnitten|gespeichert)\b",
            r"\b(?:ist|sind) (?:das|dies|sie) (?:\w+ )?dsgvo\b|\bdsgvo-konform\b|\bdatenschutz\?",
            r"\bwie (?:schützen sie|sicher sind|werden)\b.{0,20}\b(?:daten|geschützt)\b",
        ),
        "others": _pattern(
            r"\bwas (?:haben|sagen|sagten|denken|meinen|meinten) (?:denn )?(?:die |ihre )?(?:anderen|andere|meine kollegen|mein chef)\b",
            r"\b(?:wen|mit wem) (?:haben sie|befragen sie|sprechen sie|fragen sie) (?:denn )?(?:sonst )?noch\b|\bwen (?:haben sie|fragen sie) (?:denn )?sonst\b",
        ),
        "background": _pattern(
            r"\b(?:deine|ihre|die|versteckten|geheimen) (?:system-?)?(?:anweisungen|vorgaben|instruktionen|notizen|prompts?)\b",
            r"\bwas (?:wissen sie|weisst du|wisst ihr|haben sie|steht) (?:\w+ )?(?:über|von) (?:mich|mir|uns)\b",
            r"\bwas wurde (?:ihnen|dir) (?:\w+ )?(?:gesagt|erzählt)\b|\bwas ist (?:das|ihr|dein|der) (?:ziel|zweck)\b",
        ),
    },
    question_start=_pattern(
        r"(?:aber |und |also |ok |okay |entschuldigung |sorry |hallo |übrigens |nebenbei |eine frage |frage )?[,:]? ?"
        r"(?:was|wie|wer|wen|wem|warum|wieso|weshalb|wann|wo|woher|wohin|welche[rsmn]?|ist|sind|war|waren|hat|haben|habt|hast|kann|kannst|"
        r"können|könnt|könnten|wird|werden|wollen|darf|dürfen|soll|sollte|gibt|bist|seid|bieten|bietet|unterstützt|unterstützen|mit wem|für wen)\b"
    ),
    asks_for=_pattern(
        r"(?:bitte )?(?:sag(?:en sie)?|zeig(?:e|en sie)?|gib|geben sie|erklär(?:e|en sie)?|schick(?:e|en sie)?|erzähl(?:e|en sie)?) (?:mir|uns)?\b"
    ),
    to_us=_pattern(r"\b(?:sie|ihr|ihre[nrms]?|ihnen|du|dein\w*|dir|euch|euer|eure\w*)\b"),
    personal=_pattern(r"\b(?:wir|uns|unser\w*|ich|mir|mich|mein\w*|euch|euer|eure\w*|ihr|ihnen)\b"),
    clarify=_pattern(
        r"\bwas (?:meinen sie|meinst du|meint ihr|ist (?:damit |mit der frage )?gemeint|heisst das|bedeutet das|soll das heissen)\b",
        r"\bwas (?:genau )?(?:meinen|verstehen) sie (?:damit|darunter|mit|unter)\b|\bwie (?:meinen sie|meinst du) das\b|\bwie ist das gemeint\b",
        r"\bverstehe (?:(?:ich|die|ihre|deine|diese|das|leider|gerade|frage|ganz|wirklich) )*nicht(?: (?:ganz|recht|so ganz|wirklich))?[.!? ]*$",
        r"\bverstehe (?:(?:ich|leider|ganz) )*nicht,? (?:was|worauf) (?:sie|du)\b",
        r"\bfrage (?:\w+ )?nicht (?:ganz |richtig )?verstanden\b",
        r"\b(?:nicht (?:ganz )?(?:sicher|klar)|unklar|weiss nicht),? was (?:sie|du|hier|genau|damit)\b.{0,30}\b(?:meinen|meinst|wollen|willst|gemeint|fragen|fragst|hören|wissen)\b",
        r"\b(?:können|könnten|kannst|würden) (?:sie|du) (?:(?:das|die frage|mir|bitte|nochmal|noch mal|noch einmal|es) )*"
        r"(?:umformulieren|anders (?:formulieren|sagen|fragen|ausdrücken)|erklären|wiederholen|präzisieren|erläutern|genauer sagen|konkretisieren)\b",
        r"^(?:hä+h?|was|wie|wie bitte|pardon|in welcher hinsicht|inwiefern|in welchem sinne?|was genau|hm+)[?!. ]*$|^bitte\?$",
        r"^\?+$",
        r"\b(?:frage|das) ist (?:mir )?(?:\w+ )?(?:unklar|nicht klar|zu vage|unverständlich|verwirrend|missverständlich)[.!? ]*$",
        r"\bworauf (?:wollen sie|willst du)\b.{0,25}$",
    ),
    refusal=_pattern(
        rf"\b(?:möchte|möchten|will|wollen|würde|würden|darf|dürfen|werde|werden)(?: ich| wir)? (?:\w+,? ){{0,4}}(?:nicht|nichts|lieber nicht) (?:\w+ ){{0,3}}{_TELL}\b",
        rf"\b(?:kann|können|könnte)(?: ich| wir)? (?:\w+,? ){{0,4}}(?:nicht|nichts) (?:\w+ ){{0,3}}{_GIVE_AWAY}\b",
        r"^(?:das |dazu |hier )?(?:möchte ich |will ich )?lieber nicht[.! ]*$|^dazu (?:sage ich|sagen wir) (?:lieber )?nichts\b",
        r"\bkein(?:en)? kommentar\b|^keine angaben?[.! ]*$",
        r"^(?:sorry,? |leider )?(?:das|es|dies) (?:ist|sind|war) (?:(?:leider|streng|absolut|bei uns|hier) )*(?:vertraulich|geheim|intern|privat|ein geschäftsgeheimnis)\b",
        r"^(?:vertraulich|nda|geheim|intern)[.! ]*$",
        r"\b(?:unterliege|unterliegen|unterliegt) (?:\w+ ){0,3}(?:nda|vertraulichkeit\w*|geheimhaltung\w*|verschwiegenheit\w*)",
        r"\bgeht (?:sie|dich|euch) nichts an\b",
        rf"^{_POLITE}(?:weiter|überspringen|skip|(?:ich )?passe|nächste(?: frage)?|nein,? danke|(?:diese |die )?frage überspringen|"
        r"(?:das|die frage) überspringe ich|können wir (?:das|die|die frage) überspringen|weiter zur nächsten(?: frage)?)[,.!? ]*(?:bitte)?[.! ]*$",
    ),
    dont_know=_pattern(
        rf"^(?=.*\b(?:nicht|nichts|nix)\b)(?:\w+,? )?(?:(?:das|es|davon|dazu) )?(?:weiss ich|ich weiss|wissen wir|wir wissen|weiss){_MORE}$",
        r"^(?:\w+,? )?(?:ich |da |davon )?(?:hab'?e? |hatte )?(?:ich )?(?:(?:da|davon|leider|wirklich|absolut|auch|gar|dazu) )*keine?n? "
        r"(?:ahnung|idee|meinung|schimmer|plan|erinnerung)(?: (?:davon|mehr|dazu|daran))*[,.! ]*(?:sorry|leider)?[.! ]*$",
        rf"^(?=.*\bnicht\b)(?:\w+,? )?(?:(?:ich|daran|das|da) )*(?:kann|erinnere|konnte)(?: (?:ich|mich))*{_MORE}(?: ?erinnern| ?sagen)?(?: mehr)?[,.! ]*$",
        r"^(?:\w+,? )?(?:das |da |dazu |hierzu )?(?:kann ich|können wir)(?: (?:so|leider|ihnen|dazu|ehrlich gesagt|jetzt|auch))* (?:nicht|nichts)(?: (?:genau|mehr|so|wirklich|gut|dazu))* "
        r"(?:sagen|beantworten|beurteilen|einschätzen)[,.! ]*$",
        r"^(?:das ist |ist |da bin ich |ich bin |bin )?(?:mir )?(?:da )?(?:(?:ehrlich gesagt|leider) )?(?:schwer zu sagen|schwierig zu sagen|unsicher|(?:mir )?(?:da )?nicht (?:ganz |so )?sicher|überfragt)[,.! ]*$",
        r"^(?:nicht,? dass ich wüsste|wer weiss(?: das schon)?|nicht zutreffend|entfällt|k\. ?a\.|ka|weiss nich)[.!? ]*$",
    ),
    not_me=_pattern(
        r"\bnicht (?:\w+ )?(?:der|die) richtige[rn]?(?: (?:person|ansprechpartner(?:in)?|kontakt|mann|frau|stelle)\b|(?: dafür| hierfür)?[.!, ]*$)",
        r"\bfalsche[rn]? (?:person|ansprechpartner(?:in)?|kontakt|adresse|mann|frau)\b",
        r"\b(?:ich (?:war|bin)|(?:war|bin) ich) (?:[\w-]+ ){0,6}(?:nicht|kaum) (?:\w+ ){0,2}(?:beteiligt|dabei|involviert|eingebunden|zuständig|verantwortlich)\b",
        r"\b(?:ich (?:hatte|habe)|(?:hatte|habe) ich) (?:\w+ ){0,4}(?:nichts|wenig) (?:damit )?zu tun\b",
        r"\b(?:fragen|sprechen|wenden|kontaktieren) sie (?:(?:sich|besser|lieber|bitte|doch|dazu|da|mit|an) )*(?:meine?n?|unsere?n?|jemand\w*)\b",
        r"\bvor meiner zeit\b|\bich (?:kam|bin|war) erst (?:später|danach|nachher)\b",
    ),
    not_me_at_all=_pattern(
        r"\b(?:richtige|falsche)[rn]?\b",
        r"\b(?:an|in|mit|bei) (?:der|dieser|dem|diesem|den) (?:ganzen |gesamten )?(?:\w*entscheidung|\w*auswahl|evaluierung|evaluation|kauf|projekt|prozess|beschaffung|auswahlprozess)\b",
    ),
    off_topic=_pattern(
        r"\b(?:erzähl|erzähle|erzählen sie|schreib|schreibe|schreiben sie|sing) (?:mir |uns )?(?:(?:doch|mal|bitte) )*(?:einen?|ein) (?:\w+ )?(?:witz|gedicht|lied|geschichte|rezept|märchen)\b",
        r"\bwie (?:ist|wird) das wetter\b|\bwie spät ist es\b|\bhauptstadt von\b",
        r"\b(?:haben sie|hast du) (?:(?:gestern|am wochenende|das|den|schon) )*(?:spiel|fussball|rennen|finale|film) (?:\w+ )?gesehen\b|\bwer hat (?:gestern )?(?:das spiel|das finale|gestern) gewonnen\b",
        r"\b(?:fussball|bundesliga|champions league|weltmeisterschaft|mein verein)\b",
        r"\b(?:besuchen|schauen) sie (?:sich )?(?:doch )?(?:unsere|meine) (?:webseite|website|homepage|seite)\b",
        r"\b(?:interesse|interessiert) an (?:unserem|unseren|meinem|unserer) (?:produkt\w*|dienstleistung\w*|angebot\w*|lösung\w*|plattform|agentur)\b",
        r"\bunsere (?:agentur|firma|plattform|lösung) (?:hilft|bietet|ist spezialisiert)\b",
        r"\b(?:bitcoin|krypto|kryptowährung|casino|lotto|horoskop)\b",
    ),
    affirm=_pattern(
        r"(?:(?:ja|jap|jep|jo|ok|okay|nein|nichts|nix|keine|alles|so|das|dies|ist|sieht|klingt|passt|gut|stimmt|richtig|korrekt|perfekt|genau|"
        r"einverstanden|bestätigt|änderung(?:en)?|ändern|ergänzen|zu|mehr|weiter|weitere|es|für|mich|mir|danke|vielen dank|fertig|reicht|vollständig|"
        r"soweit|aus|super|prima|in ordnung|hinzuzufügen|bleibt|bleiben|kann|nicht|von meiner seite|gibt|wunderbar)[,.! ]*){1,8}"
    ),
    assent=_pattern(
        r"(?:(?:ja|jap|jep|jo|genau|stimmt|richtig|korrekt|klar|sicher|natürlich|absolut|auf jeden fall|definitiv|ok|okay|so ist es|so war es|durchaus|"
        r"einverstanden|gewiss|doch|schon|das (?:stimmt|ist so|war so|ist richtig|ist korrekt|sehe ich auch so)|(?:war|ist) es|ich denke schon|ich glaube schon|"
        r"(?:denke|glaube) ich(?: schon)?|da haben sie recht|sie haben recht)[,.! ]*){1,5}"
    ),
    but=_pattern(r",? aber |; |,? jedoch |,? allerdings |,? obwohl "),
    told_all=_pattern(
        r"^(?:\w+,? )?(?:das (?:ist|war)|mehr ist) (?:(?:eigentlich|schon|so|im grunde|auch|wirklich|im wesentlichen) )*(?:alles|es|das)(?: (?:dazu|schon|im grunde|nicht))*[.! ]*$",
        r"^(?:(?:da|dazu|mehr) )?(?:(?:habe|hab|kann|gibt) (?:ich |es )?|ich habe )?(?:dazu )?(?:nichts|nicht mehr|nicht viel)(?: (?:mehr|weiter|weiteres|dazu))* ?"
        r"(?:zu sagen|hinzuzufügen|zu ergänzen|sagen|ergänzen)[.! ]*$",
        r"^(?:wie gesagt|wie schon gesagt|wie erwähnt|das (?:sagte|erwähnte) ich (?:schon|bereits)|das habe ich (?:schon|bereits) (?:gesagt|erzählt|erwähnt)|siehe oben)\b.{0,50}$",
        r"^(?:mehr nicht|nichts weiter|sonst nichts)[.! ]*$",
    ),
    hedge=_pattern(
        r"\b(?:vielleicht|eventuell|ich glaube|glaube ich|ich denke|denke ich|wahrscheinlich|vermutlich|irgendwie|möglicherweise|oder so|"
        r"ich schätze|schätze ich|würde ich sagen|mehr oder weniger|schwer zu sagen|keine ahnung|so in etwa|nicht sicher)\b"
    ),
    causal=_pattern(
        r"\b(?:weil|denn|deshalb|deswegen|daher|darum|sodass|so dass|wegen|aufgrund|dadurch|damit (?:wir|die|unsere|der|das)|da (?:wir|die|der|unser|unsere|das|sie|ihr)|"
        r"führte dazu|dazu geführt|der grund|bedeutete|hiess das|sonst (?:hätten|wären|würden|müssten)|hätten wir|wären wir|zwang|gezwungen|bestand darauf|bestanden darauf|"
        r"folglich|infolgedessen|nämlich|andernfalls)\b|, also \w|\bum \w[^,.]{0,60} zu \w"
    ),
    episode=_pattern(
        r"\b(?:als (?:wir|ich|die|der|das|unser|unsere|sie|er|ihr|es|uns|dann)|nachdem|bevor|während (?:der|des|unseres|unserer)|"
        r"(?:im|in der|in einem|in einer|bei der|beim|nach der|nach dem|vor dem|vor der|während der|am|an dem|an einem|in dem) (?:\w+ )?"
        r"(?:demo|vorführung|termin|meeting|gespräch|anruf|telefonat|pilot|pilotphase|test|testphase|teststellung|probelauf|workshop|präsentation|verhandlung\w*|audit|prüfung|einführung|evaluierung|woche|monat|tag|ende|schluss)|"
        r"letzte[nsmr]? (?:woche|monat|jahr|quartal|sommer|herbst|winter|frühjahr)|eines (?:tages|morgens|abends)|damals|an diesem tag|"
        r"(?:sagte|zeigte|erklärte|versprach|erzählte|schrieb|meldete|fragte|rief)(?:n|en)? (?:uns|mir|er|sie|ihr|sich|ihnen|unser\w*|man)|(?:hat|haben) (?:uns|mir) (?:\w+ ){0,6}(?:gezeigt|gesagt|erklärt|versprochen|geantwortet|geschickt|angerufen)|"
        r"wir (?:mussten|haben|hatten|testeten|probierten|merkten|stellten fest|warteten|bauten|brauchten|verloren|fanden|sahen|bekamen)(?: \w+){1,12} (?:getestet|ausprobiert|probiert|festgestellt|gemerkt|gewartet|gebaut|verloren|gefunden|gesehen|müssen|geladen|laden|verglichen|aufgesetzt|bekommen|gebraucht|migriert|eingerichtet|nacharbeiten|anrufen|warten|neu bauen|übertragen|eintippen|exportieren)|"
        r"mussten wir|haben wir (?:\w+ ){0,8}(?:getestet|ausprobiert|festgestellt|gemerkt|verglichen|gesehen|gefunden|verloren|gewartet)|stellten wir fest|merkten wir|"
        r"(?:es|das) (?:dauerte|hat \w+ gedauert)|dauerte (?:es|das|die)|bis dahin|am ende (?:haben|mussten|waren|war|hat)|ausgefallen|abgebrochen|abgelaufen|gescheitert)\b"
    ),
    contrast=_pattern(
        r"\b(?:\w+er als|als (?:bei|beim|bei den|der|die|das|euer|ihr|ihre|eure|alle) (?:\w+ )?(?:anderen?|angebot|produkt|lösung|konkurrenz|alternative)|"
        r"während (?:die|der|das|sie|ihr|ihre|eure|euer|es|bei|wir|globex|andere)|hingegen|dagegen|wohingegen|statt|anstatt|stattdessen|im vergleich|verglichen mit|gegenüber|im gegensatz|"
        r"anders als|sondern|beide|weder|(?:der|die|das|dem|den|bei den) anderen?(?: (?:anbieter|lösung|tool|produkt))?|aber (?:die|der|das|bei|ihr|sie|eure|ihre|euer)|niemand sonst|mehr als)\b"
    ),
    calendar=_pattern(
        r"\b(?:januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember|montag|dienstag|mittwoch|donnerstag|freitag|"
        r"q[1-4]|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|fünfzehn|zwanzig|dreissig|vierzig|fünfzig|sechzig|hundert|tausend|millionen?|hälfte|doppelt|"
        r"zweimal|dreimal|prozent|frühling|frühjahr|sommer|herbst|winter|quartals?|weihnachten|jahresende|jahreswechsel|über nacht)\b|"
        r"\b(?:eine?[nrs]?|halbe[nrs]?|pro|jede[nrs]?|ganze[nrs]?|nächste[nrs]?|selben) (?:ganze[nrs]? |halbe[nrs]? )?(?:sekunde|minute|stunde|tag|nacht|woche|monat|quartal|jahr|morgen|nachmittag|abend)\b"
    ),
    role=_pattern(
        r"\b(?:cfo|cto|cio|ciso|ceo|coo|cmo|geschäftsführ\w+|vorstand\w*|einkauf|einkäufer\w*|betriebsrat\w*|it-leit\w+|leiter(?:in)? \w+|datenschutzbeauftragte[rn]?|"
        r"finanzleit\w+|abteilungsleit\w+|rechtsabteilung|controlling|revision|projektleit\w+|aufsichtsrat)\b"
    ),
    vague_words=_words(
        """gut gute guter gutes guten gut schön schöne passt passte gepasst passend ok okay preis preise preislich kosten funktionen funktion funktionalität feature
        features qualität service support besser bessere besseres besten beste insgesamt allgemein generell alles nichts etwas dinge ding sachen sache kommt
        drauf verschiedene verschiedenes verschiedenen diverse diversen üblich übliche üblichen normal standard leicht einfach schlecht lösung gesamtlösung produkt produkte tool software
        budget teuer teurer günstig günstiger billig billiger gründe grund gründen viele vieles vielen art erfahrung team management geschäft anforderungen wichtig
        wichtigste hauptsächlich benutzerfreundlichkeit bedienung bedienbarkeit ja nein sicher eigentlich ziemlich wirklich sehr halt eben funktioniert funktionierte
        gefiel gefallen gefällt gefühl bauchgefühl überzeugt überzeugend hoch zu niedrig angebot gesamtpaket paket zufrieden nett ordnung soweit super toll prima
        bereich hinsicht punkt punkte kriterien bedürfnisse wohl fanden mochten wollten wollte
        sagen sagt sagte gesagt wissen weiss kommen kommt gehen geht ging sehen sieht gesehen nehmen nimmt leute leuten mensch menschen jeder jeden alle andere
        anderen anderes anderer immer oft meist meistens manchmal heute erste ersten letzte mal zeit zeiten firma grösse ende tag tage machen macht geben gibt
        denken dachte glaube glauben fühlen brauchen braucht nutzen nutzt ehrlich projekt projekte genug wenig bisschen lange neu neue neuen alt alte gross grosse
        klein richtig zurück weg einiges manches irgendwas irgendwie arbeit arbeiten stimmiger gewissen gewisse kollegen""",
    ),
    stopwords=_words(
        """der die das den dem des ein eine einen einem einer eines und oder aber nicht kein keine keinen keiner ist sind war waren wird wurde wurden werden sein
        hat haben hatte hatten habe hab ich du er sie es wir ihr uns euch ihnen ihm ihn mir mich dich dir mit von vom zu zum zur im in am an auf aus bei beim für
        nach vor über unter um als auch wie so nur noch schon sehr mehr weil dass wenn dann denn was wer wo warum da doch mal man sich unser unsere unseren
        unserem unserer euer eure euren eurem eurer ihre ihren ihrem ihrer mein meine dein deine seine dieser diese dieses diesen diesem jener welche welcher
        alle allem allen bis durch gegen ohne kann konnte können konnten würde würden muss mussten müssen sollte soll will wollte wollten hier dort dabei damit
        dazu daran darauf davon dafür ja nein also einfach eigentlich ganz gar etwas nichts viel viele wenig jede jeder jedes ob je immer nie wieder eben halt
        gewesen geworden gemacht machen macht geht ging gibt gab wäre hätte hätten eher wohl zwar sowie bzw""",
    ),
    full_length=6,
    nouns_capitalized=True,
    named=re.compile(
        r"\b(?:Frau|Herrn?|[Ff]irma|Anbieter|Tool|Software|Lösung|Produkt|Hersteller|namens|Kollegin|Kolleg(?:e|en)|Berater(?:in)?|"
        r"zu|von|bei|mit|für|gegen|gegenüber|als|wie|und|oder)\s+([A-ZÄÖÜ][\wäöüß&-]+)"
    ),
    not_names=_words(
        """sie ihr ihnen ihre ihren euch uns wir das die der option variante plan kunde kunden anfang ende team support preis preise kosten vertrag verträge
        angebot daten excel-listen einkauf vertrieb technik it edv api erp crm pdf csv ki usa eu nda dsgvo iso sso sla roi faq ok beginn bezug hilfe hand zeit
        geld blick prozent jahr monat woche tag stück platz grund thema problem probleme fehler fragen frage antwort service qualität nutzer user anwender
        schnittstelle sicherheit datenschutz compliance usability performance reporting integration integrationen import export cloud hardware software server
        mail e-mail e-mails chef chefin vorstand betriebsrat projekt projekte workshop demo test pilot termin gespräch budget mehrwert umfang aufwand druck
        recht rückfragen glück liebe abstand tests demos berichte reports excel-tabellen intern""",
    ),
    noun_ending=_pattern(
        r"(?:ung|heit|keit|schaft|ion|tät|nis|nisse|ment|mus|anz|enz|tur|tum|en|ern|eln|zeit|preis|preise|kosten|system|systeme|projekt|vertrag|angebot|"
        r"software|plan|jahr|monat|woche|test|tests|stelle|werk|dienst|haus|welt|kraft|leiter|leiterin|abteilung|bereich|aufwand)$"
    ),
    listing=re.compile(r",|\bund\b|\bsowie\b|/|&"),
    chose=re.compile(
        r"(?:\buns (?:\w+ ){0,4}für|\bentschieden (?:wir )?(?:uns )?(?:\w+ ){0,2}für|\b(?:Wahl|Entscheidung) (?:\w+ ){0,3}(?:auf|für)|\bZuschlag (?:\w+ ){0,2}an|"
        r"\bwechsel(?:n|ten) (?:\w+ ){0,2}zu|\bgewechselt (?:\w+ )?zu|\bgingen (?:\w+ ){0,3}(?:zu|mit)|\bsind (?:\w+ ){0,3}zu|\bgewonnen hat(?:te)?|"
        r"\b(?:haben|hatten)(?: wir)?(?: (?:dann|schließlich|letztlich|am Ende))*(?=\s[A-ZÄÖÜ]\w+ (?:\w+ ){0,2}(?:genommen|gewählt|gekauft|ausgewählt|beauftragt)))\s+(?=[A-Z])"
    ),
    negation=_pattern(r"\b(?:nicht|nichts|nie|niemals|keine?[nmrs]?|ohne|kaum|weder|niemand|nirgends)\b"),
    negation_follows=True,
    openers=_words(
        """
        der die das den dem des ein eine einen einem einer eines unser unsere unseren unserem unserer mein meine meinen ihr ihre ihren ihrem ihrer
        sein seine wir ich sie er es niemand alle wer was wie wann wo warum weil da und aber oder wenn als bis nachdem bevor obwohl dass ob damit
        in im an am auf aus bei beim für mit nach ohne über unter um vor während wegen zu zum zur zwischen durch gegen
        """
    ),
    links=_words("von vom"),
    joints=_words("weil und aber oder wenn als bis nachdem bevor obwohl dass damit"),
    telling=(
        "besser",
        "schlechter",
        "einfacher",
        "schwieriger",
        "günstiger",
        "billiger",
        "teuer",
        "teurer",
        "langsam",
        "langsamer",
        "schnell",
        "schneller",
        "fehlte",
        "fehlten",
        "gefehlt",
        "vertrauen",
        "risiko",
        "kompliziert",
        "umständlich",
        "problem",
        "probleme",
        "support",
        "funktionen",
        "preis",
        "preise",
        "kosten",
        "eingeschränkt",
        "schnittstelle",
        "schnittstellen",
        "aufwand",
    ),
    stances=(
        Stances(
            "price",
            _pattern(
                rf"\b{_PRICE} (?:war|waren|ist|sind) (?:\w+ ){{0,2}}(?:kein|keine|nicht das|nicht der) (?:\w+ )?(?:thema|problem|faktor|grund|kriterium|punkt)\b",
                rf"\b{_PRICE} (?:spielten?|hat|haben|hatten?) (?:\w+ ){{0,3}}keine (?:\w+ )?(?:rolle|bedeutung)\b",
                rf"\b{_PRICE} (?:war|waren) (?:\w+ )?(?:egal|unwichtig|nebensächlich|zweitrangig|nicht wichtig|nicht entscheidend|in ordnung|fair)\b",
                r"\b(?:ging|lag) (?:\w+ )?nicht (?:um|an|am) (?:den |die )?(?:preisen?|kosten|geld)\b",
            ),
            _pattern(
                r"(?<!nicht )\b(?:viel |einfach |deutlich |schlicht )*zu teuer\b",
                rf"\b{_PRICE} (?:war|waren) (?:(?:einfach|viel|deutlich|schlicht|uns) )*zu hoch\b",
                rf"\b{_PRICE} (?:war|waren|hat|haben) (?:\w+ )?(?:entscheidend|ausschlaggebend|der hauptgrund|der wichtigste|den ausschlag)\b",
                r"\b(?:über|ausserhalb) (?:unserem |unseres |dem |des )?budgets?\b|\bkonnten (?:wir )?(?:uns )?(?:das )?nicht leisten\b",
            ),
        ),
        *(
            Stances(
                subject,
                _pattern(
                    rf"\b{words} (?:war|waren|ist|sind) {_MUCH}{_WELL}\b",
                    rf"\b{words} (?:war|waren|ist|sind) (?:\w+ )?nicht {_MUCH}{_BADLY}\b",
                ),
                _pattern(
                    rf"\b{words} (?:war|waren|ist|sind) {_MUCH}(?:zu )?{_BADLY}\b",
                    rf"\b{words} (?:war|waren|ist|sind) (?:\w+ )?nicht {_MUCH}{_WELL}\b",
                ),
            )
            for subject, words in _SUBJECTS.items()
        ),
    ),
    not_a_stance=_pattern(
        r"\b(?:andere[rnms]?|anderswo|konkurrenz|wettbewerb\w*|wenn|falls|würden?|hätten?|wäre[n]?|könnten?|sagten?|meinten?|behaupt\w+|dachten?|befürcht\w+|"
        r"erwart\w+|anfangs|zuerst|zunächst|am anfang|später|dann|bis|seit|nachdem|vorher|manchmal|teilweise|oft|früher|inzwischen|ausser|deren|denen)\b"
    ),
)
