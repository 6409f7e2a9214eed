"""Secrets that are known by their own look, whatever their name is: logins in URLs, password hashes, tokens, what follows the options
of certain programs.

As in :mod:`wizard.redaction_names`, each pattern stands in assets/node/recorder.sh too.
"""

from __future__ import annotations

import re

from wizard.regex import regex

HIDDEN = "***"
_ASCII = re.ASCII | re.IGNORECASE

_USER_INFO = regex(r"(:\\*/\\*/)[^ \t<>]{0,300}@")
_USER_INFO_ENCODED = regex(r"(%3A%2F%2F)[^ \t<>]{0,300}%40", _ASCII)
_BARE_USER_INFO = regex(r"(?<=:)[^ \t:@/\"'\\]{1,500}(?=@[A-Za-z0-9_\[])")
# netroot=iscsi:USER:PASSWORD:THEIR-USER:THEIR-PASSWORD@... (dracut.cmdline(7))
_CHAP = regex(r"(?<=iscsi:)[^ \t]{1,500}@")
_HASH = regex(r"\$(1|2|2[abxy]|5|6|7|y|gy|md5|apr1|argon2[a-z]{1,2})\$[A-Za-z0-9./$=,+-]{16,}")
_GRUB_HASH = regex(r"grub\.pbkdf2\.[A-Za-z0-9.]{16,}")
_LDAP_HASH = regex(r"\{(SSHA|SHA|SMD5|MD5|CRYPT|SSHA256|SSHA512)\}[A-Za-z0-9+/=$.]{1,}", re.ASCII)
_TOKEN = regex(
    r"(gAAAAA[A-Za-z0-9_=-]{20,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]{8,}|(gh[opsu]_|glpat-|xox[abps]-)[A-Za-z0-9-]{8,}|AKIA[A-Z0-9]{12,})"
)
_SCHEME = regex(r"(\b(?:basic|bearer|digest|negotiate)[ \t]{1,64})([^ \t\"',;<>]+)", _ASCII)
_LOGIN = regex(
    r"((?:^|[ \t\"'\[,(])(?:-u|--user|--proxy-user|--username|--login)(?:[ \t=]{1,64}|[\"'],[ \t]{0,64}[\"']))"
    r"([^ \t:\"'=/]{1,200}:)([^ \t\"'/][^ \t\"']*)"
)
_QUOTED_LOGIN = regex(
    r"((?:^|[ \t\"'\[,(])(?:-u|--user|--proxy-user|--username|--login)[ \t=]{1,64}[\"'])([^:\"'=/]{1,200}:)([^\"']+)"
)
_CURL_LOGIN = regex(r"(\bcurl[ \t].{0,200}[ \t]-u)([^ \t:\"'=/-][^ \t:\"'=/]{0,200}:)([^ \t\"']+)", re.ASCII)
# programs, and what stands before the secret among their arguments
_OPTIONS = (
    ("sshpass", r"-p[ \t]{0,9}"),
    ("mysql|mysqldump|mysqladmin|mariadb", "-p"),
    ("ipmitool", r"-P[ \t]{1,9}"),
    ("ldap[a-z]{2,9}", r"-w[ \t]{1,9}"),
    ("snmp[a-z]{2,9}", r"-[cAX][ \t]{1,9}"),
    ("redis-cli", r"-a[ \t]{1,9}"),
    ("rabbitmqctl", r"(?:add_user|change_password|authenticate_user)[ \t]{1,9}[^ \t]{1,99}[ \t]{1,9}"),
    ("htpasswd", r"-[a-zA-Z]*b[a-zA-Z]*[ \t]{1,9}[^ \t]{1,200}[ \t]{1,9}[^ \t]{1,99}[ \t]{1,9}"),
)
_PROGRAMS = tuple(
    (regex(rf"(?<![\w-])(?:{program})(?=[ \t])", re.ASCII), regex(rf"([ \t]{before}[\"']?)([^ \t\"']+)"))
    for program, before in _OPTIONS
)
_CHPASSWD = regex(r"((^|[ \t\"'])[a-z_][a-z0-9_-]{0,31}:)([^ \t\"']+)")
_QEMU_SECRET = regex(r"((^|[ \t\"'])secret,[^ \t]{0,300}data=)([^ \t,\"']+)")
# daemons whose configuration has its words in order (snmpd.conf(5), tgtd, pppd)
_ORDERED = regex(
    r"(^[ \t+#;*>-]{0,64}(com2sec6?[ \t]{1,64}[^ \t]{1,99}[ \t]{1,64}[^ \t]{1,99}"
    r"|(trap2?|inform)sink[ \t]{1,64}[^ \t]{1,200}"
    r"|createuser[ \t]{1,64}[^ \t]{1,99}|(incoming|outgoing)user[ \t]{1,64}[^ \t]{1,99})[ \t]{1,64})([^ \t].*)",
    _ASCII,
)
_DIGITS = regex(r"[0-9]+:[0-9]+")
_END_OF_WORD = ".,;:)\"'"


def looks_random(word: str) -> bool:
    """A word that no sentence has: letters with digits, capitals within, or signs. Paths, numbers and NAME=VALUE are none."""
    word = word.rstrip(_END_OF_WORD).lstrip("\"'(")
    if len(word) < 4 or word[0] in "/~.-<[{$" or "=" in word or re.fullmatch(r"[0-9.:]*", word):
        return False
    letters, digits = re.search(r"[A-Za-z]", word), re.search(r"[0-9]", word)
    return bool((letters and digits) or re.search(r"[A-Z]", word[1:]) or re.search(r"[!@#$%^&*+~|?\\]", word))


def without_values(line: str) -> str:
    """The line with :data:`HIDDEN` for each secret that its own look or its place gives away."""
    if "@" in line:
        line = _CHAP.sub(f"{HIDDEN}@", line)
        line = _USER_INFO.sub(rf"\g<1>{HIDDEN}@", line)
        line = _BARE_USER_INFO.sub(HIDDEN, line)
    if "%40" in line:
        line = _USER_INFO_ENCODED.sub(rf"\g<1>{HIDDEN}%40", line)
    if "$" in line:
        line = _HASH.sub(HIDDEN, line)
    if "pbkdf2" in line:
        line = _GRUB_HASH.sub(f"grub.pbkdf2.{HIDDEN}", line)
    if "{" in line:
        line = _LDAP_HASH.sub(rf"{{\g<1>}}{HIDDEN}", line)
    line = _TOKEN.sub(HIDDEN, line)
    line = _SCHEME.sub(lambda found: found[1] + (HIDDEN if looks_random(found[2]) else found[2]), line)
    return _of_programs(line)


def _of_programs(line: str) -> str:
    if ":" in line and "-" in line:
        for pattern in (_QUOTED_LOGIN, _LOGIN, _CURL_LOGIN):
            line = pattern.sub(_without_login, line)
    for program, option in _PROGRAMS:
        if (called := program.search(line)) is not None:
            line = line[: called.end()] + option.sub(lambda found: found[1] + HIDDEN, line[called.end() :])
    if "chpasswd" in line:
        line = _CHPASSWD.sub(lambda found: found[1] + HIDDEN, line)
    if "secret," in line:
        line = _QEMU_SECRET.sub(lambda found: found[1] + HIDDEN, line)
    return _ORDERED.sub(lambda found: found[1] + HIDDEN, line)


def _without_login(found: re.Match[str]) -> str:
    """Hides what stands behind the user's name; a pair of numbers is a user and a group."""
    return found[0] if _DIGITS.fullmatch(found[2] + found[3]) else found[1] + found[2] + HIDDEN
