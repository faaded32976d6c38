"""A phone is enrolled, held by several people in turn, locked, revoked."""

from muster.instance import Instance
from tests.field.phone import Phone, with_a_phone
from tests.table import TOWN, named

SCENE = (
    TOWN.rstrip()
    + """
    07:00  SiteListed      X1  area=G1 name=东门
    07:05  ResidentListed  p5  building=H1 room=101 name=张三 phone=13800001111
    """
)


@with_a_phone("sampler", site=named("X1"), scene=SCENE, enrolled=False)
async def test_a_new_user_comes_from_the_code_to_work(muster: Instance, phone: Phone) -> None:
    await phone.open()
    await phone.sees(phone.say("登记本机", "Enrol this phone"), within="h1")
    await phone.look("enrol")
    await phone.enrol("nurse")
    await phone.sees("东门", within="h1")
    await phone.look("home")
    await phone.tap(phone.say("锁定", "Lock"))
    await phone.sees("李护士", within="h1")
    await phone.look("pin")
    await phone.pin("135790")
    await phone.sees(phone.say("还可试 9 次", "9 more tries"))
    await phone.pin()
    await phone.sees("东门", within="h1")
