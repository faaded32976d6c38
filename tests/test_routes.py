"""Every route is asked, by whoever may and by others: here those about accounts, sessions, devices
and what is held; the rest is in test_http.py.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import httpx
from pyotp import parse_uri

from muster.access.decide import Grant
from muster.access.undertaking import EDITION
from muster.app import make_app
from muster.catalogue import CATALOGUE
from muster.exercise.crew import Crew
from muster.guarding import routes
from muster.instance import Instance
from muster.keeping.follower import catch_up
from tests import senders
from tests import test_overview as overview
from tests.browsers import ADMINISTRATOR, PASSWORD, Browser, Door, someone
from tests.conftest import Play
from tests.senders import items, said, send, token_of
from tests.table import TOWN, events, named
from tests.test_desk_routes import ANSWERED as AT_THE_DESK
from tests.test_http import GETS, POSTS, check, fits
from tests.test_imports import ANSWERED as IMPORTING
from tests.test_laboratory_routes import ANSWERED
from tests.test_pooling_routes import ANSWERED as POOLING
from tests.test_print_room import ANSWERED as PRINTING
from tests.test_resident_pages import ANSWERED as RESIDENTS
from tests.test_site_photos import ANSWERED as PHOTOS
from tests.test_teams import ANSWERED as TEAMING
from tests.test_visits import ANSWERED as WALKING
from tests.test_workforce_routes import ANSWERED as CALLING

# `<name>` stands for what an earlier answer said under that name.
Asked = tuple[str, str, Any, Any]  # method, path, body, a status or the slug of a problem
NOBODY = "00000000-0000-4000-8000-000000000000"
NUMBER = "11010519491231002X"
NEW_PASSWORD = "the heron waits by no bridge"

# By nobody who is signed in; some become it.
AS_A_STRANGER: list[Asked] = [
    ("GET", "/enrol", None, 200),
    ("GET", "/enrol.js", None, 200),
    ("GET", "/enrol.css", None, 200),
    ("GET", "/", None, 302),
    ("GET", "/console", None, 200),
    ("GET", "/console/none.js", None, "not-found"),
    ("GET", "/field", None, 200),
    ("GET", "/field/none.js", None, "not-found"),
    ("GET", "/v1/health", None, "not-signed-in"),
    ("GET", "/v1/queue-key", None, 200),
    ("POST", "/v1/queues", None, "not-signed-in"),
    ("GET", "/station", None, 200),
    ("GET", "/station/station.js", None, 200),
    ("GET", "/station/station_api.py", None, "not-found"),
    ("GET", "/v1/areas", None, "not-signed-in"),
    ("GET", "/v1/session", None, "not-signed-in"),
    ("GET", "/v1/session/undertaking", None, 200),
    ("GET", "/v1/oidc/start", None, "oidc-not-set"),
    ("GET", "/v1/oidc/callback?code=x&state=y", None, "oidc-not-set"),
    ("POST", "/v1/passkeys/sign-in/options", None, 200),
    ("POST", "/v1/passkeys/sign-in", {"credential": {}}, "passkey-refused"),
    ("POST", "/v1/enrolments/look", {"code": "x"}, "code-unusable"),
    ("POST", "/v1/enrolments", {"code": "x", "password": PASSWORD}, "code-unusable"),
    ("POST", "/v1/device/tokens", {"code": "x"}, "enrolment-over"),
    ("POST", "/v1/device/tokens/refresh", {"refresh": "x"}, "token-over"),
    ("POST", "/v1/session", {"login": "nobody", "password": "x"}, "wrong-sign-in"),
    ("POST", "/v1/session", {"login": "nobody"}, "bad-request"),
]

# By somebody who has just signed in and holds no role.
SIGNED_IN: list[Asked] = [
    ("POST", "/v1/session", {"login": "plain", "password": PASSWORD}, 200),
    ("GET", "/v1/session", None, 200),
    ("GET", "/v1/areas", None, "first-do-this"),
    ("POST", "/v1/session/undertaking", {"edition": "x"}, "edition-replaced"),
    ("POST", "/v1/session/undertaking", {"edition": EDITION}, 200),
    ("GET", "/v1/areas", None, "forbidden"),
    ("POST", "/v1/session/password", {"password": "x", "new_password": "y"}, "wrong-sign-in"),
    ("POST", "/v1/session/password", {"password": PASSWORD, "new_password": NEW_PASSWORD}, 200),
    ("GET", "/v1/session/contact", None, 200),
    ("PUT", "/v1/session/contact", {"phone": "not a number"}, "phone-unfit"),
    ("PUT", "/v1/session/contact", {"phone": "138 0000-1111"}, 200),
    ("POST", "/v1/session/recovery-codes", None, 200),
    ("GET", "/v1/passkeys", None, 200),
    ("POST", "/v1/passkeys/options", None, 200),
    ("POST", "/v1/passkeys", {"credential": {}}, "passkey-refused"),
    ("DELETE", "/v1/passkeys/x", None, "passkey-unknown"),
    ("GET", "/v1/session/sessions", None, 200),
    ("DELETE", "/v1/session/sessions", None, 200),
    ("DELETE", f"/v1/session/sessions/{NOBODY}", None, "session-unknown"),
    ("POST", "/v1/session/totp/confirm", {"code": "000000"}, "nothing-to-confirm"),
    ("POST", "/v1/session/totp", None, 200),
    ("POST", "/v1/session/totp/confirm", {"code": "<clock>"}, 200),
    ("POST", "/v1/session/second-factor", {"code": "x"}, "code-wrong"),
    ("POST", "/v1/session/second-factor", {"code": "<recovery_code>"}, 200),
    ("POST", "/v1/device/pin", {"device_token": "x", "pin": "246813"}, "token-over"),
    ("POST", "/v1/device/pin", {"device_token": "<spare>", "pin": "123456"}, "pin-too-simple"),
    ("POST", "/v1/device/pin", {"device_token": "<spare>", "pin": "246813"}, 204),
    ("DELETE", "/v1/session", None, 204),
    ("DELETE", "/v1/session", None, "not-signed-in"),
]

# With the token of the spare device, in nobody's hands at first.
WITH_THE_DEVICE: list[Asked] = [
    ("POST", "/v1/device/holder", {"login": "plain", "pin": "135724"}, "pin-wrong"),
    ("POST", "/v1/device/holder", {"login": "plain", "pin": "246813"}, 204),
    ("GET", "/v1/slice", None, "forbidden"),
    ("POST", "/v1/queues", None, "not-a-queue"),
    ("POST", "/v1/device/holder/leave", None, 204),
    ("POST", "/v1/events", {"items": []}, 200),
    ("POST", "/v1/device/tokens/refresh", {"refresh": "<refresh>"}, 201),
]

ROLE = {"role": "inspector", "area": "S1"}
# By an administrator in a session of their own.
AS_ADMINISTRATOR: list[Asked] = [
    ("GET", "/v1/people?area=S1&name=x", None, "forbidden"),
    ("GET", "/v1/accounts", None, 200),
    ("GET", "/v1/accounts?after=W10", None, "bad-cursor"),
    ("GET", "/v1/accounts/keeper", None, 200),
    ("GET", "/v1/accounts/nobody", None, "account-unknown"),
    ("POST", "/v1/accounts", {"login": "plain"}, "login-taken"),
    ("POST", "/v1/accounts", {"login": "ab", "kind": "guest"}, "account-needs-end"),
    ("POST", "/v1/accounts", {"login": "worker"}, 201),
    ("POST", "/v1/accounts/<account>/roles", {"role": "inspector"}, "place-unfit"),
    ("POST", "/v1/accounts/<account>/roles", ROLE, 201),
    ("POST", "/v1/accounts/<account>/roles/<holding>/move", {**ROLE, "area": "G1"}, 201),
    ("POST", "/v1/accounts/<account>/roles/<holding>/end", {"reason": "mood"}, "bad-request"),
    ("POST", "/v1/accounts/<account>/roles/<holding>/end", {"reason": "left"}, 204),
    ("POST", "/v1/accounts/<account>/roles/<holding>/end", {"reason": "left"}, "role-unknown"),
    ("POST", "/v1/accounts/slips", {"logins": ["worker"]}, 201),
    ("POST", "/v1/accounts/slips?format=pdf", {"logins": ["worker"]}, 201),
    ("POST", "/v1/accounts/slips", {"logins": "worker"}, "bad-request"),
    ("POST", f"/v1/accounts/{NOBODY}/enrolment", {}, "account-unknown"),
    ("POST", "/v1/accounts/<account>/enrolment", {}, 201),
    ("GET", "/v1/accounts/<account>/sessions", None, 200),
    ("DELETE", "/v1/accounts/<account>/sessions", None, 200),
    ("DELETE", f"/v1/accounts/<account>/sessions/{NOBODY}", None, "session-unknown"),
    ("GET", "/v1/devices", None, 200),
    ("GET", "/v1/devices?after=W10", None, "bad-cursor"),
    ("POST", "/v1/devices", {"code": "spare-1", "site": "nowhere"}, "site-unknown"),
    ("POST", "/v1/devices", {"code": "spare-1", "area": "nowhere"}, "area-unknown"),
    ("POST", "/v1/devices", {"code": "spare-1", "area": "G1"}, 201),
    ("POST", "/v1/devices", {"code": "spare-1"}, "device-code-taken"),
    ("POST", "/v1/devices/none/code", None, "device-unknown"),
    ("POST", "/v1/devices/spare-1/code", None, 201),
    ("POST", "/v1/device/tokens", {"code": "<code>"}, 201),
    ("POST", "/v1/devices/none/move", {"site": "X1"}, "device-unknown"),
    ("POST", "/v1/devices/spare-1/move", {"site": "X1"}, 204),
    ("GET", "/v1/devices/spare-1/holders", None, 200),
    ("GET", "/v1/devices/none/holders", None, "device-unknown"),
    ("POST", "/v1/devices/spare-1/revoke", {"reason": "mood"}, "bad-request"),
    ("POST", "/v1/devices/spare-1/revoke", {"reason": "lost"}, 204),
    ("POST", "/v1/devices/none/reinstate", None, "device-unknown"),
    ("POST", "/v1/devices/spare-1/reinstate", None, 204),
]

# With the link that was made, by whoever got it.
ENROLLING: list[Asked] = [
    ("POST", "/v1/enrolments/look", {"code": "<enrolment>"}, 200),
    ("POST", "/v1/enrolments", {"code": "<enrolment>", "password": "x"}, "password-length"),
    ("POST", "/v1/enrolments", {"code": "<enrolment>", "password": PASSWORD}, 200),
]
# By the administrator, at last.
CLOSING: list[Asked] = [
    ("POST", f"/v1/accounts/{NOBODY}/close", {"reason": "left"}, "account-unknown"),
    ("POST", "/v1/accounts/<account>/close", {"reason": "left"}, 204),
]


# By another command post: `held` and `also_held` were sent without a right to send them.
DECIDING: list[Asked] = [
    ("GET", "/v1/accounts", None, "forbidden"),
    ("GET", "/v1/devices", None, "forbidden"),
    ("GET", "/v1/own", None, "forbidden"),
    ("GET", "/v1/own/status", None, "forbidden"),
    ("GET", "/v1/own/results", None, "forbidden"),
    ("POST", "/v1/inbox/<held>/accept", None, 200),
    ("POST", "/v1/inbox/<held>/accept", None, "nothing-held"),
    ("POST", "/v1/inbox/<also_held>/refuse", {"reason": "mood"}, "bad-request"),
    ("POST", "/v1/inbox/<also_held>/refuse", {"reason": "not_genuine"}, 204),
    ("POST", "/v1/inbox/<also_held>/refuse", {"reason": "not_genuine"}, "nothing-held"),
]
ONES_OWN: Asked = ("POST", "/v1/inbox/<own>/accept", None, "somebody-else-decides")
LOOKING: list[Asked] = [
    ("POST", "/v1/people/by-number", {"number": NUMBER}, 200),
    ("POST", "/v1/people/by-number", {"number": "E00000000"}, "person-unknown"),
    ("GET", f"/v1/people/{named('p1')}/about", None, 200),
    ("GET", f"/v1/people/{NOBODY}/about", None, "person-unknown"),
    ("GET", "/v1/objections", None, 200),
    ("GET", "/v1/objections?after=x", None, "bad-cursor"),
    ("POST", "/v1/objections/<objection>/answer", {"answer": "perhaps"}, "bad-request"),
    ("POST", "/v1/objections/<objection>/answer", {"answer": "upheld"}, 204),
    ("GET", "/v1/readings", None, "forbidden"),
]
AS_AUDITOR: list[Asked] = [
    ("GET", "/v1/readings", None, 200),
    ("GET", "/v1/readings?after=x", None, "bad-cursor"),
    ("GET", "/v1/objections", None, "forbidden"),
    ("GET", "/v1/health", None, 200),
]
AS_A_RESIDENT: list[Asked] = [
    ("GET", "/v1/own", None, 200),
    ("GET", "/v1/own/status", None, 200),
    ("GET", "/v1/own/results", None, 200),
    ("POST", "/v1/own/objections", {"about": "mood"}, "bad-request"),
    ("POST", "/v1/own/objections", {"about": "result"}, 201),
    ("GET", f"/v1/people/{named('p1')}", None, "forbidden"),
    ("POST", "/v1/inbox/<held>/accept", None, "forbidden"),
]


PLACE = f"""{TOWN.strip()}
    07:00  SiteListed      X1  area=G1
    07:10  ResidentListed  q1  building=H1 name=张三 number={NUMBER}
"""


def test_whoever_asks_is_answered(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append(events(PLACE))
        await someone(muster, "keeper", ADMINISTRATOR)
        await someone(muster, "plain", signs=False)
        crew = Crew(muster)
        await crew.staff("p1", Grant("resident", person=named("p1")), kind="resident")
        resident = await crew.device("p1-phone", holder="p1")
        await crew.staff("auditor", Grant("auditor", everywhere=True))
        auditor = await crew.device("auditor-1", holder="auditor", kind="gateway")
        chief = await senders.command_post(muster)
        names = ("held", "also_held", "own")
        known: dict[str, str] = dict(zip(names, await held(crew, http), strict=True))
        door, bearer = Door(str(http.base_url)), "Bearer {}".format
        async with (
            door.browser() as stranger,
            door.browser() as plain,
            door.browser() as keeper,
            door.browser(authorization=bearer(token_of(http))) as command_post,
            door.browser(authorization=bearer(chief)) as deciding,
            door.browser(authorization=bearer(resident)) as own,
            door.browser(authorization=bearer(auditor)) as auditing,
        ):
            await asked(stranger, AS_A_STRANGER, known)
            await keeper.sign_in("keeper")
            await keeper.set_up_codes()
            await asked(keeper, AS_ADMINISTRATOR, known)
            known["spare"] = known["token"]
            await asked(plain, SIGNED_IN, known)
            async with door.browser(authorization=bearer(known["spare"])) as device:
                await asked(device, WITH_THE_DEVICE, known)
            await asked(stranger, ENROLLING, known)
            await asked(keeper, CLOSING, known)
            await asked(command_post, [ONES_OWN], known)
            await asked(deciding, DECIDING, known)
            await asked(own, AS_A_RESIDENT, known)
            await asked(command_post, LOOKING, known)
            await asked(auditing, AS_AUDITOR, known)

    senders.visit(play, story)


async def held(crew: Crew, http: httpx.AsyncClient) -> list[str]:
    """What a grid worker sent of another grid, twice, and what the tester may not send."""
    async with crew.muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)
    await crew.staff("outsider", Grant("grid_worker", area=named("G1")))
    token = await crew.device("outsider-1", holder="outsider")
    by = {"actor": "outsider", "device": "outsider-1"}
    table = "07:30 ResidentListed z1 building=H3\n07:30 ResidentListed z2 building=H3"
    async with senders.client(str(http.base_url), token) as phone:
        answers = await send(phone, [senders.changed(one, **by) for one in items(table)])
    answers += await send(http, items("07:30 RoundOpened R5 areas=S1"))
    assert said(answers) == ["outside-scope"] * 2 + ["not-entitled"]
    return [one["inbox"] for one in answers]


def test_no_route_is_left_out(play: Play):
    here = (
        AS_A_STRANGER, SIGNED_IN, WITH_THE_DEVICE, AS_ADMINISTRATOR, ENROLLING, CLOSING, DECIDING,
        AS_A_RESIDENT, LOOKING, AS_AUDITOR,
    )  # fmt: skip
    answered = {(method, path) for list_ in here for method, path, *_ in list_}
    answered |= {("GET", path) for path, *_ in GETS} | {("POST", path) for path, *_ in POSTS}
    answered |= AT_THE_DESK | PRINTING
    answered |= ANSWERED | IMPORTING | WALKING | overview.ANSWERED | RESIDENTS | PHOTOS | CALLING
    answered |= TEAMING | POOLING

    async def story(muster: Instance) -> None:
        left = [
            f"{method} {route}"
            for method, route, _ in routes(make_app(muster))
            if not route.startswith("/openapi")
            and not any(m == method and fits(path.partition("?")[0], route) for m, path in answered)
        ]
        assert left == []

    play(story)


async def asked(browser: Browser, list_: Iterable[Asked], known: dict[str, str]) -> None:
    for method, path, body, wanted in list_:
        answer = await browser.ask(method, filled(path, known), body_of(body, known))
        try:
            check(answer, wanted, "en")
        except AssertionError as error:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}") from error
        learn(answer, known)


def filled(text: str, known: dict[str, str]) -> str:
    return re.sub(r"<(\w+)>", lambda found: known[found[1]], text)


def body_of(body: Any, known: dict[str, str]) -> Any:
    return json.loads(filled(json.dumps(body), known))


def learn(answer: httpx.Response, known: dict[str, str]) -> None:
    """Remember what an answer said, for what is asked after it."""
    said = answer.json() if answer.headers.get("content-type", "").endswith("json") else {}
    if not answer.is_success or not isinstance(said, dict):
        return
    session = said.get("session")
    said |= session if isinstance(session, dict) else {}
    known |= {name: value for name, value in said.items() if isinstance(value, str)}
    if "otpauth:" in known.get("address", ""):
        app: Any = parse_uri(known.pop("address"))
        known["clock"] = app.now()
    for code in said.get("recovery_codes", []):
        known["recovery_code"] = code
    if "link" in known:
        known["enrolment"] = known.pop("link").partition("#")[2]
