"""How English answers are recognized: word lists and patterns, no logic. All patterns are matched on folded text."""

# ruff: noqa: E501  # a pattern broken over lines and a list of 150 quoted words cannot be read

import re

from afterword.paige.languages import Language, Stances, any_of, words_of

_POLITE = r"(?:(?:ok(?:ay)?|please|pls|sorry|thanks?|thank you|no|hey|hi|well|actually|right|paige)[,.!]* )*"
_SURVEY = r"(?:the|this|our|your) (?:interview|survey|chat|conversation|questionnaire|questions?)"
# Where a command begins, and not a story.
_TOLD = r"(?:^|[.!?,;:] |\b(?:please|now|and|then|you) )"
_WE_CAN = r"(?:can|could|may|shall|should) (?:we|i) (?:please |just )?"


_PRICE = r"(?:the |your )?(?:price|prices|pricing|cost|costs|money)"
_MUCH = r"(?:really |very |always |just |so |quite |actually |too |pretty |extremely |all that )*"
_WELL = r"(?:great|excellent|good|fast|quick|helpful|responsive|reliable|perfect|brilliant|outstanding|fantastic|smooth|easy|stable)"
_BADLY = (
    r"(?:slow|bad|terrible|poor|awful|unhelpful|unresponsive|unreliable|useless|horrible|clunky|painful|difficult|unstable|"
    r"a mess|a disaster|a nightmare)"
)
_SUBJECTS = {
    "support": r"(?:support|support team|help ?desk)",
    "team": r"(?:sales team|sales|sales rep|account manager|team)",
    "integration": r"(?:integrations?|connectors?|api|sync)",
    "product": r"(?:product|tool|software|platform|interface|ui)",
    "rollout": r"(?:onboarding|rollout|implementation|migration|setup)",
    "reporting": r"(?:reporting|reports|dashboards?)",
    "demo": r"(?:demos?|trial|pilot)",
}

LANGUAGE = Language(
    code="en",
    name="English",
    # Whole messages that mean "stop now". A stop is honored even when it is misread: it can be taken back.
    stop_whole=re.compile(
        rf"{_POLITE}(?:"
        r"stop|quit|exit|end|cancel|abort|enough|bye|goodbye|good bye|go away|get lost|not interested|i quit|"
        r"(?:that'?s|that is|it'?s) enough(?: (?:now|for (?:now|today|me)))?|enough(?: (?:now|questions|already|of this))|"
        r"no more(?: questions)?|(?:enough[,.!] ?)?i(?:'m| am) leaving(?: now| here)?|"
        r"i(?:'m| am) (?:done|out|finished|leaving)(?: (?:here|now|with (?:this|it|the (?:interview|survey))))?|"
        r"i (?:have to|need to|must|gotta|got to|should) (?:go|leave|run|stop)(?: now)?|gotta go|"
        r"i(?:'m| am) not interested(?: in (?:this|it))?|"
        rf"(?:stop|end|quit|cancel|finish|terminate) (?:here|now|it|this|that|please|{_SURVEY})(?: (?:here|now|please))*|"
        r"stop (?:asking|bothering)(?: me)?(?: (?:questions|this|things))?|"
        r"(?:let'?s|let us|we can|we should) (?:just )?(?:stop|end|quit|finish|leave it)(?: (?:here|now|this|it|there|at that))*|"
        rf"{_WE_CAN}(?:stop|end|quit|finish)(?: (?:here|now|this|it|there|{_SURVEY}))*|"
        r"i(?:'d| would)? (?:rather|want to|like to|prefer to|wish to) (?:stop|quit|end|leave|finish)"
        rf"(?: (?:here|now|this|it|at this point|{_SURVEY}))*"
        r")(?:,? (?:please|thanks?|thank you|bye|sorry))*[.!? ]*"
    ),
    # The same inside a longer message, only where it cannot be about anything but this conversation.
    stop_within=any_of(
        rf"(?:^|[.!?;,] |\b(?:so|but|and|please) )(?:please )?(?:stop|end|quit|cancel|terminate|finish) {_SURVEY}\b",
        rf"\bi(?:'d| would)? (?:want|like|prefer|need) to (?:stop|quit|end|leave|finish) {_SURVEY}\b",
        r"\bi(?:'d| would)? (?:want|like|prefer|need) to (?:stop|quit|leave|finish)(?: (?:here|now))?(?: please)? ?(?:[.!]|$)",
        r"\bi (?:don'?t|do not) (?:want|wish) to (?:continue|go on|do this|take part|participate|answer (?:any ?more|more|any more))",
        r"\bstop (?:asking|bothering) me\b(?! (?:about|for|whether))",
        r"(?:^|[.!?] )(?:please )?leave me alone\b",
        r"[.!?,] (?:please )?stop(?: (?:now|here|this|please))?[.!]*$",
    ),
    delete=any_of(
        r"\b(?:delete|erase|remove|destroy|wipe) (?:all )?(?:of )?(?:my|this|these|the) (?:personal )?"
        r"(?:data|answers?|responses?|interview|transcript|information|details|everything)\b",
        r"(?:^|[.!?,] )(?:please )?(?:forget me|delete everything)\b",
        r"\bwithdraw my (?:answers?|consent|responses?|interview|participation)\b",
        r"\bi withdraw (?:my )?(?:consent|everything)\b",
    ),
    opt_out=any_of(
        r"(?:^|[.!?,;] )(?:please )?unsubscribe\b",
        r"(?:^|[.!?,;] |\bplease )(?:stop|quit) (?:e-?mailing|mailing|contacting|messaging|writing to|writing) me\b",
        r"(?:^|[.!?,;] |\bplease )stop (?:sending|the)(?: me)? (?:these |any |more |your )?(?:e-?mails?|mails?|messages)\b",
        r"\b(?:take|remove) me (?:off|from) (?:your|the|this|any) (?:\w+ )?lists?\b",
        r"(?:^|[.!?,;] |\bplease )(?:don'?t|do not|never) (?:e-?mail|mail|contact|message|write to|write) me (?:again|any ?more|ever)\b",
        r"\bno more (?:e-?mails?|mails?)\b",
    ),
    distress=any_of(
        r"\b(?:kill|hurt|harm)(?:ing)? myself\b",
        r"\bsuicid(?:e|al)\b",
        r"\b(?:want|wanted|going|ready) to die\b",
        r"\bend (?:it all|my life)\b",
        r"\bi (?:can'?t|cannot) (?:cope|go on|take (?:it|this) any ?more)\b",
        r"\bpanic attacks?\b",
        r"\b(?:nervous breakdown|having a breakdown|breaking down)\b",
        r"\bi(?:'m| am) (?:in tears|crying|desperate|having a really hard time|not okay|not ok)\b",
        r"\bmy (?:wife|husband|partner|mother|father|mum|mom|dad|son|daughter|child|brother|sister|baby|friend|parents?) "
        r"(?:has |have |just |recently )*(?:died|passed away|is dying|was killed)\b",
        r"\bi (?:was|got|have been|'ve been) (?:just )?(?:diagnosed|hospitali[sz]ed)\b",
        r"\bi(?:'ve| have)? (?:just |also )?(?:lost|losing) my (?:job|wife|husband|partner|mother|father|son|daughter|child)\b",
    ),
    abuse=any_of(
        r"\bf[u*]+c?k+ (?:you|u|off|this|yourself|your)\b",
        r"\b(?:screw|damn) you\b",
        r"\bpiss off\b",
        r"\bgo (?:to hell|f[u*]+c?k)\b",
        r"\bshut (?:up|the)\b",
        r"\b(?:you|u|ur|you're|you are|stupid|dumb|useless|worthless) (?:a |an |are |such a |fucking |bloody |damn )*"
        r"(?:idiots?|morons?|piece of (?:shit|crap|junk)|ass ?holes?|bitch|bastards?|cunt|scum|imbecile)\b",
        r"\b(?:stupid|dumb|useless|worthless|fucking|bloody|damn) (?:\w+ )?(?:bot|robot|machine|ai|chat ?bot)\b",
        r"\b(?:ass ?holes?|motherf\w+|cunts?|bastards?)\b",
        r"\byou(?:'re| are) (?:all )?(?:stupid|useless|worthless|pathetic|an? (?:joke|idiot|moron))\b",
        r"^(?:this is |it'?s |what )?(?:spam|bullshit|garbage|crap)\b.{0,30}$",
        r"\beat shit\b",
        r"\bdrop dead\b",
    ),
    hurry=any_of(
        r"\b(?:only|just) (?:have|got) (?:a|one|two|three|five|\d+|a few|a couple of) ?(?:more )?min(?:ute)?s?\b",
        r"\bi(?:'m| am) (?:in a (?:bit of a )?(?:hurry|rush)|very busy|pressed for time|short (?:on|of) time)\b",
        r"\b(?:keep|make) (?:it|this) (?:short|quick|brief|fast)\b",
        r"\b(?:don'?t|do not) have (?:much|a lot of|any|the) time\b",
    ),
    # Questions about the interview itself, by FAQ entry.
    faq={
        "length": any_of(
            r"\bhow (?:long|much time) (?:is|will|does|do|would|are) (?:this|it|the (?:interview|survey|chat|rest)|that|we)\b",
            r"\bhow (?:much longer|many (?:more )?questions|far along)\b",
            r"\bare we (?:nearly |almost )?(?:done|finished|there)\b",
            r"\bwhen (?:is|will) (?:this|it) (?:be )?(?:over|done|finished)\b",
            r"\bhow many (?:questions|minutes)\b",
        ),
        "human": any_of(
            r"\bare you (?:\w+ )?(?:a |an |even )?(?:real|human|bot|robot|ai|a\.i\.|person|machine|chat ?gpt|gpt|llm|computer|chat ?bot)\b",
            r"\bam i (?:talking|speaking|chatting|writing|typing) (?:to|with)\b",
            r"\bis (?:this|that|it) (?:a |an )?(?:bot|robot|real person|human|ai|machine|automated|chat ?bot|computer)\b",
            r"\bwho am i (?:talking|speaking|chatting|writing) (?:to|with)\b",
            r"\b(?:bot|human|ai|real person) or (?:a |an )?(?:bot|human|ai|person|real person)\b",
            r"\bis (?:there )?(?:a |any )?(?:real )?(?:person|human|somebody|someone) (?:there|here|typing|on the other)\b",
        ),
        "reader": any_of(
            r"\bwho (?:will |is going to |gets to |all |else |can |would |actually )*(?:reads?|sees?|gets?|looks?|has access|have access)\b",
            r"\bwho(?:'s| is| are) (?:this|it|these|you) (?:for|asking for|working for)\b",
            r"\b(?:is|are|will|does) (?:this|it|my|that|what|any|these)\b.{0,40}\b(?:anonymous|anonymi[sz]ed|confidential|shared|private)\b",
            r"\bwill (?:my|you|they|anyone|anybody|people)\b.{0,30}\b(?:name|boss|employer|sales ?(?:rep|person|people|team)?) ?(?:be|see|know|find|read)?\b",
        ),
        "why_me": any_of(
            r"\bwhy (?:me|am i (?:being )?(?:asked|getting|here)|are you asking me|did (?:you|i) (?:pick|choose|contact|get|ask))\b",
            r"\b(?:how|where) did you (?:get|find|have) my\b",
            r"\bwho gave you my\b",
        ),
        "privacy": any_of(
            r"\bwhat (?:happens|do you do|will you do|will happen|are you going to do|gets done) (?:to|with) "
            r"(?:my|this|the|these|all|it)\b",
            r"\b(?:how long|where) (?:do|will|is|are|does) .{0,30}\b(?:keep|kept|store|stored|saved|retain|retained)\b",
            r"\bis (?:this|it) (?:being |getting )?recorded\b",
            r"\b(?:is|are) (?:this|it|you) gdpr\b",
            r"\bhow (?:do you|is my|are my) .{0,20}\b(?:protect|protected|secured?|safe)\b",
        ),
        "others": any_of(
            r"\bwhat (?:did|do|have|are) (?:the |your )?(?:others?|other (?:people|customers|buyers|companies|clients|respondents|participants)"
            r"|everyone else|anyone else|my (?:colleagues?|boss|team))\b.{0,20}\b(?:say|said|saying|tell|told|answer|answered|think)\b",
            r"\bwho else (?:did you|have you|are you|do you) (?:ask|asked|interview|interviewed|talk|asking|interviewing)\b",
        ),
        "background": any_of(
            r"\b(?:your|the|initial|hidden|secret) (?:system )?(?:instructions|prompt|guidelines|rules|briefing|notes|objective)\b",
            r"\bwhat (?:do|did|have) (?:you|they) (?:know|have|got|been told|write|tell you|say) (?:about|on) (?:me|us|our)\b",
            r"\bwho told you\b",
            r"\bwhat were you told\b",
            r"\bwhat(?:'s| is) (?:the|your) (?:goal|purpose|objective|aim) (?:of|behind|with|here)\b",
        ),
    },
    question_start=re.compile(
        r"(?:but |and |so |ok |okay |sorry |hi |hey |well |btw |by the way |one question |question )?[,:]? ?"
        r"(?:what|how|who|why|when|where|which|is|are|was|were|do|does|did|can|could|will|would|should|has|have|may|am)\b"
    ),
    asks_for=re.compile(r"(?:please )?(?:tell|show|give|explain|print|send) (?:me|us)?\b"),
    to_us=re.compile(r"\byour?\b"),
    personal=re.compile(r"\b(?:we|us|our|ours|i|me|my|you|yours?)\b"),
    clarify=any_of(
        r"\bwhat (?:do|did) you mean\b",
        r"\b(?:don'?t|do not|didn'?t|did not) (?:quite |really |fully )?(?:understand|get|follow|see)"
        r"(?: (?:the|your|that|this) (?:last )?question| you| it| what you(?:'re| are)? (?:mean|ask|asking|want|getting at).*)?[.?! ]*$",
        r"\b(?:don'?t|do not) know what you(?:'re| are)? (?:mean|ask|asking|want|getting at)",
        r"\b(?:can|could|would|will) you (?:please )?(?:rephrase|clarify|explain|repeat|reword|be more specific|say that)\b",
        r"^(?:please )?(?:rephrase|clarify|explain|reword)\b.{0,20}$",
        r"\bnot sure (?:what|i know what|i understand what) (?:you|is being)\b.{0,25}\b(?:ask|asking|asked|mean|want|after)\b",
        r"\bwhat (?:exactly )?(?:are you|is it you'?re) (?:asking|after|getting at)\b",
        r"^(?:huh|what|pardon|sorry|come again|eh|hm+|excuse me|in what (?:way|sense)|meaning|how so)[?!. ]*$",
        r"^\?+$",
        r"\b(?:question|that|this) (?:is|isn'?t|was) (?:un|not |very |too )?(?:clear|vague|confusing)(?: to me)?[.!? ]*$",
        r"\bin what (?:way|sense|respect)\?",
    ),
    refusal=any_of(
        r"\b(?:i|we)(?:'d| would)? (?:really |much )?(?:rather|prefer|like) not(?: to)?\b",
        r"\b(?:i|we)(?:'m| am|'re| are)? (?:really )?(?:can'?t|cannot|can not|won'?t|will not|may not|not allowed to|not able to|unable to|"
        r"not going to|not supposed to|not permitted to|not at liberty to) (?:really )?"
        r"(?:say|share|discuss|disclose|talk about|answer|comment|tell|reveal|get into|go into|give|speak about)\b",
        r"^(?:sorry,? )?(?:can'?t|cannot|won'?t) (?:say|share|discuss|disclose|answer|comment|tell)\b",
        r"\bno comment\b",
        r"^(?:sorry,? )?(?:that|it|this)(?:'s| is| information is) (?:strictly |highly )?"
        r"(?:confidential|private|sensitive|internal|secret|under nda|none of your business)\b",
        r"^(?:i(?:'m| am)|we(?:'re| are)) (?:bound by|under) (?:an? )?(?:nda|non-disclosure)",
        r"^(?:nda|confidential|private)[.! ]*$",
        r"\bnone of your business\b",
        r"\b(?:i(?:'m| am)|we(?:'re| are)) not (?:comfortable|willing|happy|keen)\b.{0,40}$",
        r"\bi decline\b",
        rf"^{_POLITE}(?:pass|skip|next|no thanks?|no thank you|skip (?:it|this|that|one|this one|that one|this question|that question)|"
        r"next (?:one|question)|move on|can we (?:skip|move on)(?: (?:this|it|that|this one))?|let'?s (?:skip|move on).{0,20})[,.!? ]*(?:please)?[.! ]*$",
    ),
    dont_know=any_of(
        r"^(?:\w+,? )?(?:i |we )?(?:really |honestly |actually |just |simply )*(?:don'?t|do not|didn'?t|did not|wouldn'?t|couldn'?t) (?:really |even |quite )?"
        r"(?:know|remember|recall|have (?:a clue|an (?:idea|opinion|answer)))"
        r"(?: (?:that|this|it|the answer|anything|anything about (?:it|that|this)|for sure|exactly|yet|any ?more|any of (?:it|that)|too well|the details?|offhand|sorry))*[,.! ]*$",
        r"^(?:\w+,? )?(?:i (?:have|had) |i've )?(?:really |honestly |absolutely )*no (?:idea|clue|opinion|memory|recollection)(?: (?:about|of) (?:that|it|this))?[,.! ]*(?:sorry)?[.! ]*$",
        r"^(?:\w+,? )?(?:i(?:'m| am) )?(?:really |honestly )*not (?:really |too |so |entirely )?sure(?: (?:about (?:that|it|this)|any ?more|really|honestly|sorry))*[,.! ]*$",
        r"^(?:\w+,? )?(?:i |we )?(?:really )?(?:can'?t|cannot|couldn'?t|could not) (?:really )?(?:remember|recall|say(?: for sure| exactly)?|tell(?: for sure| exactly)?|think of (?:any|anything|one|it))(?: (?:that|it|this|any ?more|now|right now|the details?|offhand))*[,.! ]*$",
        r"^(?:it'?s |that'?s )?(?:hard|difficult|tough|impossible) to say[.! ]*$",
        r"^(?:not that i (?:know|remember|recall)(?: of)?|dunno|idk|i dunno|beats me|n/?a|not applicable|no opinion|who knows|hard to tell|unsure|no clue|can'?t say)[.!? ]*$",
    ),
    not_me=any_of(
        r"\bnot (?:really )?the (?:right|best) (?:person|one|contact)\b",
        r"\b(?:the )?wrong (?:person|guy|contact|one to ask)\b",
        r"\bi (?:was|am|wasn'?t|was not|am not|'m not) (?:really |actually |personally |at all )*(?:not )?(?:really )?(?:involved|part of (?:it|that|this|the))\b",
        r"\bi (?:had|have) (?:nothing|little) to do with\b",
        r"\bi (?:didn'?t|did not) (?:take part|participate|have a say|make (?:the|that|this) decision)\b",
        r"\byou(?:'d| would| should|'ll)? (?:have to |better |need to |be better off )?(?:ask|asking|talk(?:ing)? to|speak(?:ing)? (?:to|with)|contact) (?:my|our|the|someone|somebody)\b",
        r"\b(?:before my time|i (?:only )?joined (?:later|after))\b",
    ),
    # Of these, what concerns the whole decision and not just the question at hand.
    not_me_at_all=any_of(
        r"\b(?:right|best|wrong) (?:person|contact|guy)\b",
        r"\b(?:involved in|part of|to do with|take part in|participate in) (?:the|this|that|any of the|your) "
        r"(?:whole |entire |actual )?(?:decision|evaluation|purchase|process|project|selection|deal|buying|choice)\b",
    ),
    not_involved=re.compile(r"\bi (?:was|am) (?:really |actually |personally )*(?:involved|part of)\b"),
    injection=any_of(
        r"\b(?:ignore|disregard|forget|override) (?:all |any |the |your |my |of |these )*(?:previous|prior|above|earlier|preceding)"
        r"(?: (?:instructions?|rules|prompts?|guidelines|directions|text|messages?)|$|[.,;:!]| and\b)",
        rf"{_TOLD}(?:ignore|disregard|forget|override) (?:all |any |the |your |my |of |everything |these )*(?:instructions?|rules|prompts?|"
        r"guidelines|directions|above|before)\b",
        r"\b(?:your|the) system ?(?:prompt|message)\b(?! for\b)",
        r"\bsystem override\b",
        r"^\W*(?:system|assistant|developer|admin) ?:",
        rf"{_TOLD}(?:repeat|print|output|show|reveal|display|translate|encode|summari[sz]e|spell) (?:me )?(?:back )?"
        r"(?:the|all|everything|your|any|what).{0,40}\b(?:above|prompt|instructions|base ?64|backwards|notes|context|briefing|verbatim)\b",
        r"\byou are now (?:a|an|the|in|my|free|no longer|\w+gpt|dan)\b",
        r"\bpretend (?:to be|you|that you)\b",
        rf"{_TOLD}act as (?:a|an|my|if)\b",
        r"\b(?:enter|enable|activate|switch to|unlock|you are (?:now )?in|go into) (?:the |a )?(?:developer|debug|god|admin) mode\b",
        r"\bjail ?break\b",
        r"\bi(?:'m| am) (?:the|an|your|a) (?:system )?(?:admin|administrator|developer|creator)\b.{0,60}\b(?:notes|prompt|instructions|access|show|tell)\b",
    ),
    off_topic=any_of(
        r"\b(?:tell|write|sing|give) (?:me )?(?:a |an |another |us a )(?:\w+ )?(?:joke|poem|song|story|haiku|essay|recipe|limerick|rap)\b",
        r"\bwhat(?:'s| is) the (?:weather|time|capital)\b",
        r"\b(?:did you (?:see|watch)|who won) (?:the|that|last)\b.{0,20}\b(?:game|match|race|final|election)\b",
        r"\b(?:football|soccer|baseball|basketball|super bowl|world cup|champions league|premier league|my (?:team|club) (?:won|lost))\b",
        r"\bcheck out (?:our|my|www|http)\b",
        r"\b(?:visit|see) (?:our|my) (?:web ?site|site|page|shop|store)\b",
        r"\b(?:interested in|like to (?:buy|try|see)|need) (?:our|my) (?:product|service|services|platform|solution|tool|agency)\b",
        r"\bour (?:agency|company|platform|product|startup) (?:helps|offers|specializes|can help|sells)\b",
        r"\b(?:bitcoin|crypto|casino|lottery|horoscope)\b",
    ),
    affirm=re.compile(
        r"(?:(?:yes|yep|yeah|yup|ok|okay|no|nope|nothing|none|all|that|that'?s|this|this is|it'?s|is|looks?|sounds?|seems|fine|good|great|"
        r"right|correct|perfect|exactly|accurate|agreed|agree|i agree|confirm|confirmed|changes?|to|add|change|more|else|it|me|thanks?|"
        r"thank you|n/?a|sure|done|true|fair|enough|covers|everything|nothing's missing|not really|i think so)[,.! ]*){1,8}"
    ),
    assent=re.compile(
        r"(?:(?:yes|yep|yeah|yup|ok|okay|right|correct|exactly|true|sure|absolutely|definitely|agreed|indeed|totally|of course|i agree|"
        r"i think so|i guess so|i suppose so|(?:that|it|this)(?:'s| is| was) (?:right|correct|true|so)|(?:yes|so|that),? (?:it|they|you|we|he|she|i) "
        r"(?:was|were|did|is|are|do|does|has|have)|it (?:was|did|is)|you(?:'re| are) right|very much(?: so)?|for sure)[,.! ]*){1,5}"
    ),
    but=re.compile(r",? but |; | however,? | although "),
    told_all=any_of(
        r"^(?:\w+,? )?(?:that(?:'s| is| was)|it was) (?:really |basically |pretty much )?(?:all|it|everything)(?: there is(?: to it)?| i (?:have|know|can say|remember)| really| for me| more or less|,)*"
        r"(?: more or less)?[.! ]*$",
        r"^(?:i(?:'ve| have)? (?:got )?|there(?:'s| is) )?(?:nothing|not(?:hing)? much|no) (?:more|else|further|much)? ?(?:to (?:add|say|tell))(?: (?:on|to|about) (?:that|it|this))?[.! ]*$",
        r"^(?:as i (?:said|told you|mentioned)|i(?:'ve| have)? (?:already )?(?:told|said|mentioned|answered) (?:you )?(?:that|this|it)?|see above|same as (?:above|before))\b.{0,50}$",
        r"^(?:nothing (?:more|else)|no more|that's all|nope)[.! ]*$",
    ),
    hedge=re.compile(
        r"\b(?:maybe|perhaps|i guess|i suppose|kind of|kinda|sort of|sorta|probably|possibly|somewhat|not sure|i think|more or less|"
        r"hard to say|whatever|something like)\b"
    ),
    causal=re.compile(
        r"\b(?:because|'cause|cause we|so that|so we|so i|so our|so they|due to|since we|since our|since the|since they|since \w+ (?:is|are|was|were|would|had)|as a result|"
        r"which meant|meant that|meant we|led to|that'?s why|which is why|therefore|in order to|the reason|forced us|given that|thanks to|"
        r"otherwise we|which made|made us|if (?:\w+ ){1,8}would|would have|insisted|required us)\b|, so (?!it was|far|much|to|on)\w"
    ),
    episode=re.compile(
        r"\b(?:when (?:we|i|they|our|the|he|she|it|you|one|my|his|her|their|your|legal|procurement|finance|management|security|sales|someone|somebody)|(?:in|during|at|after|before|by) (?:the|our|one|that|their|your|a|an) "
        r"(?:\w+ )?(?:demo|meeting|call|pilot|trial|poc|proof of concept|workshop|session|review|test|presentation|negotiation|rollout|audit|"
        r"kick-?off|evaluation|visit|week|month|end of \w+|time we|time they)|"
        r"last (?:week|month|year|quarter|spring|summer|autumn|fall|winter|january|february|march|april|may|june|july|august|september|october|november|december)|"
        r"one (?:day|time|morning|afternoon|evening|of our|of the)|the (?:day|moment|week|morning)|told (?:us|me|them)|showed (?:us|me|them)|asked (?:us|me|for|about|our)|promised|"
        r"we (?:tried|tested|ran|saw|had to|found|discovered|noticed|set up|waited|timed|checked|measured|counted|rebuilt|replaced|hired|built|called|asked|lost|spent|needed)|"
        r"(?:before|after|until) (?:we|they|legal|our|their|he|she|it)|by then|had already|expired|at that point|"
        r"(?:it|that) took (?:us|them|me|three|two|four|five|six|\d)|ended up|in the end we|walked (?:us|me) through)\b"
    ),
    contrast=re.compile(
        r"\b(?:than|whereas|instead|compared (?:to|with)|unlike|on the other hand|rather than|in contrast|as opposed to|"
        r"while (?:the|they|you|yours?|theirs?|others|it|we)|but (?:the|they|you|your|theirs|yours|with)|nobody else|no one else|the other (?:one|two|vendor|tool|option)|the others|versus|vs|neither|both)\b"
    ),
    calendar=re.compile(
        r"\b(?:january|february|march|april|june|july|august|september|october|november|december|monday|tuesday|wednesday|thursday|friday|"
        r"q[1-4]|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|eighteen|twenty|thirty|forty|fifty|hundred|thousand|million|half|twice|percent|spring|summer|autumn|winter|quarters?|christmas|year end|overnight)\b|"
        r"\b(?:an?|one|half an?|half the|per|each|every|whole|same|next) (?:whole )?(?:second|minute|hour|day|night|week|month|quarter|year|morning|afternoon|evening)s?\b"
    ),
    role=re.compile(
        r"\b(?:cfo|cto|cio|ciso|ceo|coo|cmo|vp|head of \w+|procurement|controller|legal team|security team|it manager|works council)\b"
    ),
    vague_words=words_of(
        """
        good great nice fine ok okay fit price pricing cost costs features feature functionality quality service support better best overall general
        generally everything nothing something stuff things thing depends various several different usual normal standard easy well bad alright
        solution product tool budget value decent reasonable expensive cheap cheaper reasons reason many lot lots way experience team management
        business needs requirements important main usability yes no sure all right team-fit whatever really pretty quite very just basically simply
        also worked works liked like felt just one two it they mostly mainly said say says tell tells told know knows come comes coming go goes going
        gone see sees saw seen look looks looked take takes took people person everybody everyone anybody anyone somebody someone nobody others other
        else always often usually sometimes today far first last time times while course mind tend tends busy view size company moves move such matter
        somehow anything end day days make makes made give gives gave keep keeps put let think thought believe feel feels want wants wanted need
        needed use used uses honest honestly complaining project projects enough few little bit long new old big small around away back likes talk
        talked certain certainly work another
        """
    ),
    full_length=8,
    stopwords=words_of(
        """
        a an the and or but if then so as of at by for from in into on onto to with without about over under between out up down off i me my mine we
        us our ours you your yours he him his she her hers it its they them their theirs this that these those there here is am are was were be been
        being do does did doing done have has had having will would shall should can could may might must not no nor only own same too very just also
        really quite pretty rather more most much many some any each every all both what which who whom whose when where why how than because while
        during before after again once ever never always i'm i'd i've i'll we're we'd we've we'll you're they're they'd they've it's that's there's
        don't didn't doesn't isn't wasn't weren't couldn't wouldn't can't won't hadn't haven't hasn't get got go went make made lot bit kind sort
        """
    ),
    negation=re.compile(r"\b(?:not|no|never|nothing|nobody|none|neither|nor|hardly|barely|without|cannot|\w+n't)\b"),
    # Names a sentence may open with, or that follow "went with", without being a product or a company.
    not_names=words_of(
        """
        i we the a an it they them our you your that this these those he she my his her their option plan what which one two just yes no not maybe
        only mainly mostly honestly basically actually nothing none all some most many both price cost good great fine okay ok well very easy hard
        january february march april may june july august september october november december monday tuesday wednesday thursday friday english german
        french
        """
    ),
    listing=re.compile(r",|\band\b|/|&"),
    openers=words_of(
        """
        a an the this that these those my our your his her its their we i you he she they it there nobody everybody who which what how when where
        why because since so and but or if while until after before although than in on at by for from with without about during through into
        to under between across
        """
    ),
    links=words_of("of"),
    joints=words_of(
        "when where because since so and but or if while until after before although in on at by from with without during"
    ),
    telling=(
        "better",
        "worse",
        "easier",
        "harder",
        "cheaper",
        "expensive",
        "slow",
        "fast",
        "missing",
        "fit",
        "trust",
        "risk",
        "complicated",
        "simple",
        "problem",
        "problems",
        "issue",
        "issues",
        "support",
        "features",
        "price",
        "limited",
    ),
    chose=re.compile(
        r"\b(?:went with|go with|going with|gone with|chose|chosen|choosing|picked|selected|decided on|decided for|opted for|settled on|"
        r"signed with|signed up with|awarded it to|gave it to|moved to|switched to|ended up with|won by)\s+(?=[A-Z])"
    ),
    stances=(
        Stances(
            "price",
            any_of(
                rf"\b{_PRICE} (?:really |actually |itself |honestly )?(?:was|is)(?:n't| not| never) (?:really |ever )?(?:an?|the|much of an?|our) "
                r"(?:\w+ )?(?:issue|factor|problem|concern|reason|consideration|topic|criterion)\b",
                rf"\b{_PRICE} (?:really |actually |itself |honestly )?(?:didn't|did not|doesn't|never) (?:really |actually )?(?:matter(?:ed)?|count(?:ed)?|"
                r"play(?:ed)? (?:a|any|much of a) (?:\w+ )?(?:role|part)|come into (?:it|play)|came into (?:it|play))\b",
                rf"\b(?:wasn't|was not|never) about (?:the )?{_PRICE}\b",
                rf"\b{_PRICE} (?:was|were) (?:fine|not important|unimportant|irrelevant|secondary|fair)\b",
            ),
            any_of(
                r"(?<!not )(?<!n't )\b(?:too|far too|way too) (?:expensive|pricey|costly)\b",
                rf"\b{_PRICE} (?:was|were) (?:simply |just |far |way |much )*too (?:high|much)\b",
                rf"\b{_PRICE} (?:was|were) (?:the |a )?(?:main|decisive|deciding|biggest|key|single biggest)\b",
                r"(?<!not )\b(?:over|above|beyond) (?:our )?budget\b",
                r"\bwe (?:couldn't|could not) afford (?:it|you|that)\b",
                rf"\b(?:came|came down|comes down|boiled down) to (?:the )?{_PRICE}\b",
            ),
        ),
        *(
            Stances(
                subject,
                any_of(
                    rf"\b{words} (?:was|were|is|are|has been) {_MUCH}{_WELL}\b(?! (?:until|once|but))",
                    rf"\b{words} (?:was|were|is|are|has)(?:n't| not) (?:been )?{_MUCH}{_BADLY}\b",
                ),
                any_of(
                    rf"\b{words} (?:was|were|is|are|has been) {_MUCH}{_BADLY}\b",
                    rf"\b{words} (?:was|were|is|are|has)(?:n't| not) (?:been )?{_MUCH}{_WELL}\b",
                ),
            )
            for subject, words in _SUBJECTS.items()
        ),
    ),
    not_a_stance=re.compile(
        r"\b(?:they|their|theirs|them|the others?|other (?:vendors?|options?|tools?)|competitors?|if|would|could have|might|said|says|told|claimed|"
        r"heard|thought|worried|feared|expected|at first|initially|in the beginning|early on|later|then|until|since|after|before|sometimes|"
        r"some of|often|used to|first|now|except|except for)\b"
    ),
)
