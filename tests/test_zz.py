import time
from tests.conftest import *
from tests.test_ledger import *
def test_x(play):
    async def story(muster):
        await muster.door.append(events(TOWN))
        for e in events(TUBES): await muster.door.append([e])
        for e in events("12:00  ResultReleased  r1  barcode=T1 outcome=positive\n12:00  ResultReleased  r2  barcode=T2 outcome=negative\n12:00  ResultReleased  r9  barcode=T9 outcome=negative"): await muster.door.append([e])
        print()
        for b in range(32):
            ev = [e for e in events("\n".join(f"08:20 TubeSealed T{b}_{n} round=R1 members={','.join(f'p{b}_{n}_{k}' for k in range(10))}" for n in range(350)))]
            t=time.monotonic(); await muster.door.append(ev); dt=time.monotonic()-t
            rs = [e for e in events("\n".join(f"12:00 ResultReleased r{b}_{n} barcode=T{b}_{n} outcome={'positive' if n%50==0 else 'negative'}" for n in range(350)))]
            t=time.monotonic(); await muster.door.append(rs); dt2=time.monotonic()-t
            if b%4==0: print(b, round(dt,3), round(dt2,3), flush=True)
    play(story)
