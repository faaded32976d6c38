"""A command post stands with its groups; its leads have what is to be done, until it is stood down."""

from tests.conftest import Play
from tests.table import Story, named

ONE, TWO, NORTH = (named(name) for name in ("g1", "g2", "S1"))
GROUPS = (
    f'[{{"group":"{ONE}","code":"HQ","name":"N","name_en":"N","area":"{NORTH}","role":"command_post",'
    '"lead":"lin","deputy":"chen","tasks":[{"name":"call_all","minutes":30},{"name":"list_all","minutes":60}]},'
    f'{{"group":"{TWO}","code":"FIELD","name":"N","name_en":"N","area":"{NORTH}","role":"area_lead",'
    f'"parent":"{ONE}","tasks":[{{"name":"stand","minutes":15}}]}}]'
)
ELSEWHERE = GROUPS.replace(str(ONE), str(named("g9"))).replace(str(TWO), str(named("g8")))
RAISED = f"""
    07:00  AreaListed     S1  level=street code=S1 name=North
    07:10  CommandRaised  M1  template=P1 edition=E1 area=S1 groups={GROUPS}
    07:10  CommandRaised  M9  template=P1 edition=E1 area=S9 groups={ELSEWHERE}
"""


def test_a_command_post_gives_its_leads_their_tasks_and_takes_them_back(play: Play):
    play(
        Story()
        .given(RAISED)
        .then("""
            posture.working_group
            command  place  code   parent  area  lead  deputy
            M1       1      HQ     -       S1    lin   chen
            M1       2      FIELD  g1      S1    -     -
            M9       1      HQ     -       S1    lin   chen
            M9       2      FIELD  g9      S1    -     -
        """)
        .then(
            "(SELECT k.*, o.command FROM hq.task k JOIN posture.opening o ON o.opening = k.about) x"
            + """
            command  kind     login  role       area  due_at  state
            M1       command  lin    -          -     07:40   issued
            M1       command  lin    -          -     08:10   issued
            M1       command  -      area_lead  S1    07:25   issued
            M9       command  lin    -          -     07:40   issued
            M9       command  lin    -          -     08:10   issued
            M9       command  -      area_lead  S1    07:25   issued
        """
        )
        .call(
            "done",
            "SELECT task FROM hq.task k JOIN posture.opening o ON o.opening = k.about"
            " WHERE o.name = 'call_all' AND"
            f" o.working_group = '{ONE}'",
        )
        .given("""
            07:20  TaskDone          done
            07:30  CommandStoodDown  M1
        """)
        .then(
            "(SELECT k.*, o.command FROM hq.task k JOIN posture.opening o ON o.opening = k.about) x"
            + """
            command  login  role       state
            M1       lin    -          done
            M1       lin    -          withdrawn
            M1       -      area_lead  withdrawn
            M9       lin    -          issued
            M9       lin    -          issued
            M9       -      area_lead  issued
        """
        )
        .then("""
            posture.command
            command  area  stood_down_at
            M1       S1    07:30
            M9       S9    -
        """)
    )


def test_who_leads_from_now_on_gets_what_is_open(play: Play):
    play(
        Story()
        .given(RAISED)
        .given("""
            07:20  GroupLed  g1  command=M1 lead=wu
            07:25  GroupLed  g2  command=M1 lead=lin
        """)
        .then("""
            posture.working_group
            command  code   lead  deputy
            M1       HQ     wu    -
            M1       FIELD  lin   -
            M9       HQ     lin   chen
            M9       FIELD  -     -
        """)
        .then(
            "(SELECT k.*, o.command FROM hq.task k JOIN posture.opening o ON o.opening = k.about) x"
            + """
            command  login  role       state
            M1       lin    -          withdrawn
            M1       lin    -          withdrawn
            M1       wu     -          issued
            M1       wu     -          issued
            M1       -      area_lead  withdrawn
            M1       lin    -          issued
            M9       lin    -          issued
            M9       lin    -          issued
            M9       -      area_lead  issued
        """
        )
        .given("07:30  GroupLed  g1  command=M1 lead=lin")
        .then(
            "(SELECT k.*, o.command FROM hq.task k JOIN posture.opening o ON o.opening = k.about"
            " WHERE k.state = 'issued' AND o.command = (SELECT command FROM posture.working_group"
            f" WHERE working_group = '{ONE}')) x"
            + """
            login  role
            lin    -
            lin    -
            lin    -
        """
        )
    )
