"""The words of the command line: column heads in English and Chinese, and what stands in the cells.
An event's type, a state, a kind is shown in words; what an office has typed is shown as it is.
"""

PERSON_NAME = ("name", "姓名")
HEADS = {
    # where
    "area": ("area", "区域"), "area_name": ("area", "所属区域"), "area_names": ("areas", "区域"),
    "name": ("name", "名称"), "code": ("code", "编码"), "level": ("level", "级别"),
    "building_name": ("building", "楼栋"), "building_code": ("building", "楼栋编码"),
    "room": ("room", "房号"), "floors": ("floors", "层数"), "site_name": ("site", "采样点"),
    "lanes": ("lanes", "通道"), "lanes_open": ("lanes open", "开放通道"), "open": ("open", "开放"),
    "headcount": ("people", "人数"),
    # how far a round has come
    "expected": ("expected", "应检"), "sampled": ("sampled", "已采"), "share": ("share", "比例"),
    "resulted": ("resulted", "出结果"), "pending": ("pending", "待出"),
    "invalid": ("invalid", "无效"), "recalled": ("recalled", "召回"),
    "recall_open": ("recall open", "召回中"), "exempt": ("exempt", "豁免"),
    "away": ("away", "外出"), "refused": ("refused", "拒检"), "missing": ("missing", "未检"),
    "swabs": ("swabs", "人次"), "round": ("round id", "轮次编号"), "starts_at": ("from", "开始"),
    "ends_at": ("to", "结束"), "closed_at": ("closed", "关闭时间"),
    # who
    "birth_year": ("born", "出生年"), "birth_date": ("born", "出生日期"), "sex": ("sex", "性别"),
    "state": ("state", "状态"), "group": ("group", "人群"), "resident": ("person", "人员编号"),
    "person": ("person", "人员编号"), "number": ("number", "证件号码"), "phone": ("phone", "电话"),
    "document": ("document", "证件类型"), "score": ("score", "相似度"),
    "reasons": ("in common", "相同之处"), "one_name": ("one", "甲"),
    "other_name": ("other", "乙"), "one": ("id of one", "甲编号"),
    "other": ("id of other", "乙编号"), "valid": ("valid", "有效"), "reason": ("reason", "原因"),
    # tubes and results
    "barcode": ("barcode", "条码"), "purpose": ("purpose", "目的"), "position": ("#", "序号"),
    "tube": ("tube", "采样管编号"), "tubes": ("tubes", "采样管编号"),
    "sealed_at": ("sealed", "封管时间"), "outcome": ("outcome", "结果"), "lab": ("lab", "实验室"),
    "result": ("result", "结果编号"), "resulted_at": ("resulted", "出结果时间"),
    "told": ("may be told", "可告知"), "ordered_at": ("ordered", "下达时间"),
    "answer": ("retest", "复检"), "kind": ("kind", "类型"),
    # what happened, and what to look at
    "at": ("at", "时间"), "type": ("event", "事件"), "actor": ("by", "操作者"),
    "device": ("device", "设备"), "times": ("times", "次数"), "rank": ("rank", "级"),
    "alarm": ("alarm", "告警"), "count": ("count", "数量"),
    "first_missing": ("missing from", "缺号起"), "last_missing": ("to", "缺号止"),
    "received_at": ("received", "收到"), "line": ("line", "行"), "column": ("column", "列"),
    "message": ("what is wrong", "问题"), "value": ("value", "数值"), "since": ("since", "自"),
    "household": ("one household", "按户"),
    # the ledger
    "where": ("where", "位置"), "what": ("what", "内容"), "slug": ("why", "原因"),
    "owner": ("from", "来源"), "event": ("event", "事件编号"), "id": ("id", "编号"),
    "file": ("file", "文件"), "made_at": ("made", "制作时间"), "size_mb": ("MB", "MB"),
    "events": ("events", "事件数"), "ledger": ("ledger", "账本"),
    "expires_at": ("kept until", "保留至"), "applied_at": ("taken in", "入库时间"),
    "view": ("table", "读表"), "subject": ("of", "对象编号"), "error": ("error", "错误"),
    "applied": ("taken in", "已入库"), "held": ("held", "仍保留"), "due": ("fell due", "到期"),
    "unstalled": ("caught up", "已补上"), "expired_inbox": ("expired items", "过期收件"),
    "expired_notes": ("expired notes", "过期备注"),
    # accounts
    "login": ("login", "登录名"), "roles": ("roles", "角色"), "enrolled": ("enrolled", "已注册"),
    "second_factor": ("second factor", "第二因素"), "undertaking": ("undertaking", "保密承诺"),
    "created_at": ("signed in", "登录时间"), "seen_at": ("seen", "最近使用"),
    "method": ("by", "方式"), "agent": ("browser", "浏览器"), "session": ("session", "会话编号"),
    # measurements
    "unit": ("unit", "单位"), "goal": ("goal", "目标"), "ok": ("ok", "达标"),
    "reference": ("reference", "参照"),
}  # fmt: skip

# Columns whose cells are words of ours.
VALUES = {
    "name", "level", "kind", "state", "sex", "group", "outcome", "answer", "alarm", "purpose",
    "told", "type", "reasons", "reason", "slug", "document", "open", "valid", "ok", "household",
}  # fmt: skip

WORDS = {
    "yes": "是", "no": "否", "total": "合计",
    # titles
    "funnel": "检测进度", "recalls": "召回", "alarms": "告警", "missing": "未检人员",
    # levels and kinds of areas and units
    "country": "国家", "province": "省", "city": "市", "district": "区县", "street": "街道",
    "community": "社区", "compound": "小区", "grid": "网格", "building": "楼栋",
    "basic": "基础", "exclusive": "专属", "enterprise": "企业", "school": "学校", "hotel": "酒店",
    "shop": "商铺", "hospital": "医院", "market": "市场", "care_home": "养老院", "organ": "机关",
    "other": "其他",
    # files
    "areas": "区域", "grids": "网格", "buildings": "楼栋", "units": "单位", "sites": "采样点",
    "residents": "居民", "results": "结果",
    # people
    "male": "男", "female": "女", "resident": "常住", "temporary": "暂住", "away": "外出",
    "moved_away": "迁出", "cannot_be_tested": "不能检测", "student": "学生", "elderly": "老年人",
    "health_worker": "医务人员", "courier": "快递外卖", "key_person": "重点人员",
    "unlisted": "未登记", "same_birth_date": "出生日期", "same_phone": "电话",
    "same_building": "楼栋", "same_room": "房号", "same_sex": "性别",
    # documents, and why one is not valid
    "resident_id": "居民身份证", "foreign_permanent": "外国人永久居留身份证", "passport": "护照",
    "hk_macao_permit": "港澳居民来往内地通行证", "taiwan_permit": "台湾居民来往大陆通行证",
    "military": "军人证件", "birth_certificate": "出生医学证明", "empty": "号码为空",
    "length": "位数不对", "characters": "含有不应出现的字符", "area": "开头不是行政区划代码",
    "birth_date": "其中的出生日期不存在", "future_birth": "其中的出生日期在未来",
    "check_digit": "校验码不符",
    # tubes, results, recalls
    "round": "轮次", "contact": "密接", "quarantine": "隔离", "ad_hoc": "临时", "recall": "复检",
    "positive": "阳性", "negative": "阴性", "indeterminate": "可疑", "invalid": "无效",
    "final": "已定", "conflict": "冲突", "recalled": "召回", "pending": "待出",
    "sample_again": "重新采样", "open": "进行中", "closed": "已结束", "withdrawn": "已撤回",
    "released": "已解除", "confirmed": "已确认", "several_tubes": "多管同码",
    "several_outcomes": "结果不一",
    # alarms and anomalies
    "positive_without_tube": "阳性结果找不到采样管",
    "positive_without_members": "阳性管没有人员", "result_conflict": "结果冲突",
    "result_without_tube": "结果找不到采样管", "stalled": "停滞", "device_gap": "设备缺号",
    "recall_overdue": "召回超时", "inbox": "待处理收件",
    "more_sampled_than_declared": "采样人数超过底数", "person_twice": "一人两管",
    "barcode_twice": "条码重复", "barcode_at_two_sites": "两点同码", "over_capacity": "超员",
    "sealed_empty": "空管", "future_dated": "时间在未来", "sealed_twice": "重复封管",
    "swab_not_in_seal": "封管时漏人",
    # why something is held
    "malformed-upload": "上传格式不对", "upload-too-large": "上传过大", "unknown-type": "类型未知",
    "unreadable-item": "内容不符", "id-reused": "编号重用", "unstorable": "无法存储",
    # what happened, by the type of its event
    "AreaListed": "登记区域", "UnitListed": "登记单位", "DenominatorDeclared": "申报底数",
    "PolicyAdopted": "制定标准", "ResidentListed": "登记人员", "ResidentMoved": "迁居",
    "ResidentStateChanged": "变更状态", "ResidentsMerged": "合并人员",
    "ResidentsUnmerged": "撤销合并", "RoundOpened": "开始轮次", "RoundClosed": "结束轮次",
    "SiteListed": "登记采样点", "SiteOpened": "采样点开放", "SiteClosed": "采样点关闭",
    "LaneOpened": "通道开放", "LaneClosed": "通道关闭", "TubeOpened": "开管",
    "SpecimenTaken": "采样", "TubeSealed": "封管", "SpecimenVoided": "样本作废",
    "SpecimenRestored": "样本恢复", "SpecimenMoved": "样本移管", "RefusalRecorded": "记录拒检",
    "ExemptionGranted": "准予豁免", "StanceWithdrawn": "撤销拒检或豁免",
    "ResultReleased": "发布结果", "ResultAmended": "更正结果", "ResultBound": "认定采样管",
    "ResultRejected": "否定结果", "RecallOrdered": "下达召回", "RecallWithdrawn": "撤回召回",
    "RecallClosed": "结束召回", "RecallReopened": "重启召回", "RecallFellDue": "召回超时",
    "RedactionAuthorised": "授权清空",
}  # fmt: skip
