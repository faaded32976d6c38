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
import re
def test_y(play):
    async def story(muster):
        await muster.door.append(events(TOWN))
        for e in events(TUBES): await muster.door.append([e])
        for e in events("12:00  ResultReleased  r1  barcode=T1 outcome=positive\n12:00  ResultReleased  r2  barcode=T2 outcome=negative\n12:00  ResultReleased  r9  barcode=T9 outcome=negative"): await muster.door.append([e])
        for b in range(26):
            ev = [e for e in events("\n".join(f"08:20 TubeSealed T{b}_{n} round=R1 members={','.join(f'p{b}_{n}_{k}' for k in range(10))}" for n in range(350)))]
            await muster.door.append(ev)
            rs = [e for e in events("\n".join(f"12:00 ResultReleased r{b}_{n} barcode=T{b}_{n} outcome={'positive' if n%50==0 else 'negative'}" for n in range(350)))]
            t=time.monotonic(); await muster.door.append(rs); dt2=time.monotonic()-t
        print(dt2)
        touched=Touched.by(rs).parameters()
        async with await psycopg.AsyncConnection.connect(muster.conninfo, options=DOOR_OPTIONS,autocommit=True) as conn:
            sts = {}
            for p in CATALOGUE.immediate:
                sts[p.name+" delete"]=p.delete(); sts[p.name+" insert"]=p.insert()
            for r in CATALOGUE.rules:
                if not r.clock: sts[r.name]=r.sql
            for i,w in enumerate(CATALOGUE.widenings): sts[f"widen {w.when} {w.into} {i}"]=w.sql
            for name, sql in sts.items():
                names=[]
                def num(m):
                    if m[1] not in names: names.append(m[1])
                    return f"${names.index(m[1])+1}"
                q=re.sub(r"%\((\w+)\)s", num, sql).replace("%%","%")
                await conn.execute(("PREPARE q AS "+q).encode())
                def lit(v): return v if isinstance(v,str) else "{"+",".join(v)+"}"
                args=", ".join(f"'{lit(touched[n])}'" for n in names)
                t=time.monotonic()
                txt=(await (await conn.execute(f"EXPLAIN ANALYZE EXECUTE q({args})".encode())).fetchall())
                dt=time.monotonic()-t
                if dt>0.02:
                    print(name, dt); print("\n".join(x[:200] for (x,) in txt))
                await conn.execute("DEALLOCATE q")
    play(story)
