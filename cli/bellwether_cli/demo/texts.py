"""What people and brands say in the demo. `{brand}`, `{product}` and `{rival}` are filled in."""

from random import Random

PRAISE = (
    "Honestly love the new {product} from {brand} 😍",
    "{brand} saved my morning, great service!",
    "Third year with {brand} and still happy. Thank you!",
    "The {product} by {brand} is excellent, best I have tried",
    "Super friendly people at {brand} today 👏",
    "Big thanks to {brand} for the quick and kind help",
    "Impressed by how well the {product} holds up. Good job {brand}",
)
NEUTRAL = (
    "Does {brand} ship the {product} to Norway?",
    "{brand} opens another place on Main Street next month",
    "Comparing {brand} and {rival} before I decide",
    "Saw the {product} from {brand} in the window today",
    "{brand} announced its opening hours for the holidays",
    "Picked up a {product} at {brand} on the way home",
)
COMPLAINT = (
    "My {product} from {brand} arrived broken. Disappointed.",
    "Waiting for an answer from {brand} for days, terrible support",
    "{brand} charged me twice, this is unacceptable 😡",
    "The {product} got worse and more expensive. Bad move, {brand}",
    "Worst experience ever with {brand}, never again",
    "{brand} is down again?! So annoying",
)
CRISIS = (
    "The {product} of {brand} made my kid sick. This is dangerous!",
    "Unbelievable: {brand} knew about the faulty {product} and lied to us",
    "Throw away your {product} NOW. Shame on {brand} 😡",
    "#boycott {brand} after this awful {product} scandal",
    "Disgusted by {brand}. Refund us and apologise!",
)
OUTAGE = (
    "{brand} has been down for an hour. I cannot even call a doctor. Terrible!",
    "No signal, no answer, no apology. Worst network ever, {brand} 😡",
    "My {product} is useless today. {brand} is a disgrace",
    "Still no service from {brand}. Angry and stranded",
    "#{handle}down and not a word from them. Shame on you",
)
QUERIES = (
    "Where is my order? It was due on Monday.",
    "Is the {product} available in a larger size?",
    "How can I change the address of my order?",
    "Can I return the {product} without the box?",
    "Which {product} do you recommend for beginners?",
)
FEEDBACK = (
    "The new website is great, well done.",
    "Please bring the old {product} back, it was better.",
    "Nice idea with the refills!",
)
ANSWERS = (
    "Hi! Sorry to hear that. Please send us your order number and we will look into it right away.",
    "Thank you for asking! Yes, you will find it in our shop from Thursday on.",
    "Hello, we have checked and it is on its way. You should have it tomorrow.",
    "Thanks for letting us know, we have passed it on to the team.",
)
SECOND_PARTS = (
    "One more thing: the tracking link follows by e-mail.",
    "PS: the code WELCOME takes 10 % off next time.",
)
THANKS = (
    "Thank you, that helped!",
    "Great, thanks for the quick answer",
    "Okay. Still not happy, but thanks.",
)
POSTS = (
    "Meet the new {product} ✨ What would you try first?",
    "Behind the scenes: how our {product} is made",
    "Five tips for your {product} this season",
    "We are hiring! Join the team of {brand}",
    "Your questions about the {product}, answered",
)
UGC = (
    "My {product} setup this weekend #{brand}",
    "Unboxing my {brand} {product}!",
    "Three weeks with the {product}: my review",
)


def say(rng: Random, choices: tuple[str, ...], **words: str) -> str:
    """One of the sentences, filled in."""
    return rng.choice(choices).format(**words)
