"""Which names tell that a secret follows, and which only sound like it.

assets/node/recorder.sh knows the same names in awk: both are held together by tests/real/test_secret_shapes.py. So the patterns
here are of the kind that the awk of 2014 has: no repetitions by count, no classes by name, no looking around.
"""

from __future__ import annotations

import re
from enum import Enum

from wizard.regex import regex

# What any name that is looked at holds, without regard to case.
STEMS = (
    "passw", "passphrase", "passcode", "pass", "pwd", "pswd", "psk", "secret", "token", "credential", "communit", "authorization",
    "cookie", "key", "private", "pin", "pw", "masterauth", "kek",
)  # fmt: skip
STEM = regex("|".join((*STEMS, r"hash[_-]?(path)?[_-]?(suffix|prefix)")), re.ASCII | re.IGNORECASE)

_LAST_PART = regex(r"\.(value|data|text|plain|in|out|[0-9]+)$")
_HARMLESS = regex(
    r"^(keystone_authtoken|private|pin|pw)s$|^keystone_authtoken$"
    r"|^(with|without|no|ask|require|show|prompt|get|use|set|need|needs)[_-]"
    r"|^(mon|tur|hoc|don|joc|whis|dis|sys)keys?$"
    r"|(^|[_-])(by|com|sur|tres|under|over|multi|ask|get|ssh|one|two|single|low|high|band|all)[_-]?pass$"
    r"|(public|pub|authorized|foreign|primary|sort|any|cache|hot|group|partition|sub|dict|routing|binding|known|host|function)[_-]?keys?[0-9]*$"
    r"|(passw|passwd|password|passphrase|passcode|pass|pwd|psk|secret|token|credential|cookie|key)s?[_-]?"
    r"(through|bucket|expir[a-z]*|expiry|ttl|timeout|lifetime|length|len|size|count|rate|interval|policy|type|min|max|enabled"
    r"|disabled|required|prompt|algorithm|method|provider|providers|format|age|retries|attempts|authentication|rotation|per|filter"
    r"|limit|cost|rounds|iterations|name|server|manager|service|store|driver|plugin|class|module|cache|backend|usage)s?([_-].*)?$"
)
_FILE = regex(
    r"(passwd|password|passphrase|pass|pwd|psk|secret|token|credential|cookie|key)s?[_-]?"
    r"(file|filename|files|path|paths|dir|directory|location|url|uri|ca|cert|repository)[0-9]*$"
)
_SECRET = regex(
    r"passw|passphrase|passcode|pswd|secret|token|credential|communit|authorization[0-9]*$|cookie[0-9]*$|pass[0-9]*$|(^|[^a-z])psk|psk([^a-z]|$)"
    r"|pwd([^a-z]|$)|(^|[_-])pin[0-9]*$|(^|[_-]|bind|root|user|admin|ldap|db)pw[0-9]*$|^private$|^masterauth$|kek[0-9]*$"
    r"|hash[_-]?(path)?[_-]?(suffix|prefix)[0-9]*$"
)
_KEY = regex(r"keys?[0-9]*$")


class Telling(Enum):
    """What a name says of its value."""

    NOTHING = ""
    SECRET = "secret"
    KEY = "key"  # a secret, unless the value is the path of a file


def telling(name: str) -> Telling:
    """What `name` (an option, a variable, an XML tag, with its dashes and dots) says of the value behind it.

    The last part of a dotted name counts: keystone_authtoken.auth_url is no token.
    """
    name = name.strip(".-")
    name = _LAST_PART.sub("", name)
    name = name.rpartition(".")[2].strip("-")
    low = name.lower()
    if _HARMLESS.search(low):
        return Telling.NOTHING
    if _FILE.search(low):
        return Telling.KEY
    if _SECRET.search(low):
        return Telling.SECRET
    if _KEY.search(low):
        return Telling.KEY
    return Telling.NOTHING
