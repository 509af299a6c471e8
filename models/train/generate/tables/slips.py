"""Wrong characters that input methods really produce, pinyin and initials that people type, English words mixed in."""

# Right word -> what gets typed instead.
HOMOPHONES = {
    "退货": ["退获", "推货", "退或"], "快递": ["快弟", "快第", "块递", "快滴"], "发票": ["发漂", "发飘", "法票"], "退款": ["退宽", "推款", "退快"],
    "地址": ["地止", "地扯", "低址"], "订单": ["定单", "订但", "丁单"], "密码": ["密马", "蜜码", "秘码"], "验证码": ["验证吗", "验正码", "严证码"],
    "手机": ["手几", "首机"], "账号": ["帐号", "账好", "张号"], "登录": ["登陆", "等录", "登路"], "客服": ["客府", "课服", "可服"], "人工": ["人公", "任工", "人攻"],
    "优惠": ["优会", "有惠", "优慧"], "优惠券": ["优惠卷", "优惠劵"], "收到": ["受到", "收道"], "已经": ["以经", "己经"], "怎么": ["怎吗", "咋么", "怎莫", "怎麽"],
    "什么": ["神马", "什吗", "甚么", "什莫"], "可以": ["可已", "可一", "阔以"], "能不能": ["能不能够", "能补能"], "多少": ["多小", "都少"], "多久": ["多酒", "都久"],
    "没有": ["没由", "木有", "煤油"], "不能": ["补能", "不嫩"], "取消": ["曲消", "取销", "取笑"], "物流": ["五流", "物留", "务流"], "换货": ["换或", "还货"],
    "质量": ["质亮", "只量"], "保修": ["包修", "保休"], "维修": ["维休", "为修", "维秀"], "运费": ["运废", "晕费"], "包邮": ["包油", "包又"], "支付": ["支富", "之付", "知付"],
    "付款": ["付宽", "复款", "负款"], "扣款": ["扣宽"], "账户": ["帐户", "账护"], "申请": ["声请", "申清"], "办理": ["半理", "办里"], "注销": ["住销", "注消"], "注册": ["住册", "注测"],
    "尺码": ["尺吗", "尺马"], "颜色": ["颜涩", "言色"], "衣服": ["一服", "衣付"], "价格": ["价个", "加格"], "预约": ["预越", "予约"], "预订": ["预定"], "身份证": ["身分证", "身份正"],
    "银行卡": ["银行咔", "银航卡"], "贷款": ["代款", "带款"], "还款": ["换款", "还宽"], "保险": ["保显", "宝险"], "社保": ["社宝", "设保"], "挂号": ["挂好", "瓜号"],
    "充电": ["冲电"], "充值": ["冲值"], "宽带": ["宽代", "款带"], "流量": ["流亮", "六量"], "会员": ["会圆", "回员"], "积分": ["积份", "几分"], "投诉": ["投速", "偷诉", "投素"],
    "解决": ["解绝", "接决"], "处理": ["出理", "处里"], "联系": ["连系", "联细"], "电话": ["电花", "店话"], "营业": ["赢业", "营叶"], "在哪": ["再哪", "在那"], "哪里": ["那里"],
    "为什么": ["为神马", "为啥么"], "一直": ["一只", "一值"], "显示": ["现示", "显是"], "绑定": ["帮定", "邦定"], "修改": ["修该"], "材料": ["才料"], "流程": ["留程"], "需要": ["须要"],
    "费用": ["废用"], "时候": ["时侯"], "帮忙": ["帮芒"], "麻烦": ["麻凡", "马烦"], "谢谢": ["谢写", "些些", "蟹蟹"], "请问": ["清问", "请闻"], "你好": ["你号", "泥嚎", "尼好"],
    "正品": ["证品", "正拼"], "推荐": ["推见", "推建"], "合作": ["和作", "合做"], "发货": ["发获", "发或", "法货"], "签收": ["千收", "签受"], "赔偿": ["陪偿", "赔尝"], "差价": ["差加"],
    "安装": ["按装"], "的": ["得", "滴"], "在": ["再"], "了": ["啦"], "吗": ["嘛", "马", "麽"], "那": ["哪"], "做": ["作"], "到": ["倒"], "买": ["卖"], "坏": ["怀"],
}
# Word -> pinyin as typed, and initials.
PINYIN = {
    "退款": ["tuikuan", "tk", "tui kuan"], "退货": ["tuihuo", "th", "tui huo"], "快递": ["kuaidi", "kd", "kuai di"], "发票": ["fapiao", "fp", "fa piao"], "客服": ["kefu", "kf"],
    "人工": ["rengong", "rg", "ren gong"], "订单": ["dingdan", "dd", "ding dan"], "发货": ["fahuo", "fh", "fa huo"], "密码": ["mima", "mm", "mi ma"], "地址": ["dizhi", "dz", "di zhi"],
    "手机": ["shouji", "sj"], "验证码": ["yanzhengma", "yzm"], "优惠": ["youhui", "yh"], "优惠券": ["youhuiquan", "yhq"], "多少钱": ["duoshaoqian", "dsq"], "什么时候": ["shenme shihou", "sm sh"],
    "怎么": ["zenme", "zm", "zen me"], "什么": ["shenme", "sm"], "可以": ["keyi", "ky"], "谢谢": ["xiexie", "xx", "3q"], "你好": ["nihao", "ni hao"], "在吗": ["zaima", "zai ma"],
    "有没有": ["you mei you", "ymy"], "没有": ["meiyou", "my"], "账号": ["zhanghao", "zh"], "登录": ["denglu", "dl"], "取消": ["quxiao", "qx"], "换货": ["huanhuo", "hh"], "运费": ["yunfei", "yf"],
    "包邮": ["baoyou", "by"], "质量": ["zhiliang"], "价格": ["jiage", "jg"], "退钱": ["tuiqian", "tq"], "保修": ["baoxiu", "bx"], "维修": ["weixiu", "wx"], "收到": ["shoudao", "sd"],
    "支付": ["zhifu", "zf"], "付款": ["fukuan", "fk"], "会员": ["huiyuan", "hy"], "积分": ["jifen", "jf"], "投诉": ["tousu", "ts"], "电话": ["dianhua", "dh"], "物流": ["wuliu", "wl"],
    "微信": ["weixin", "vx", "wx", "V信"], "支付宝": ["zhifubao", "zfb"], "吗": ["ma", "m"], "我要": ["wo yao", "woyao"], "我想": ["wo xiang", "woxiang"], "多久": ["duojiu"], "预约": ["yuyue", "yy"],
    "尺码": ["chima", "cm"], "身份证": ["shenfenzheng", "sfz"], "银行卡": ["yinhangka", "yhk"], "贷款": ["daikuan", "dk"], "差价": ["chajia"], "在哪": ["zai na", "zaina"], "怎么办": ["zenmeban", "zmb"],
    "不知道": ["bzd", "buzhidao"], "有没有人": ["ymyr"], "正品": ["zp", "zhengpin"], "推荐": ["tuijian", "tj"], "现在": ["xianzai", "xz"], "办理": ["banli", "bl"],
}
# Chinese word -> English word that bilingual writers mix in.
MIXED = {
    "订单": "order", "退款": "refund", "退货": "return", "快递": "package", "包裹": "parcel", "发货": "ship", "尺码": "size", "发票": "invoice", "密码": "password", "验证码": "code",
    "账号": "account", "账户": "account", "登录": "login", "取消": "cancel", "优惠": "discount", "优惠券": "coupon", "折扣码": "promo code", "会员": "VIP", "套餐": "plan",
    "预订": "booking", "预约": "appointment", "地址": "address", "手机号": "phone number", "邮箱": "email", "链接": "link", "支付": "pay", "付款": "payment", "信用卡": "credit card",
    "材料": "documents", "流程": "process", "保修": "warranty", "颜色": "color", "机票": "ticket", "课程": "course", "会议室": "meeting room", "数据": "data", "团队": "team", "功能": "feature",
    "绑定": "link", "更新": "update", "下载": "download", "截止时间": "deadline", "方案": "plan", "沙发": "sofa", "咖啡": "coffee", "笔记本": "laptop", "经理": "manager", "人工": "real person",
}
# English word -> short forms typed on phones.
EN_SHORT = {
    "you": ["u"], "your": ["ur"], "are": ["r"], "please": ["pls", "plz"], "thanks": ["thx", "tnx"], "thank you": ["ty"], "because": ["cuz", "bc"], "before": ["b4"], "want to": ["wanna"],
    "going to": ["gonna"], "delivery": ["delivry", "dlvry"], "order": ["ordr", "odrer"], "account": ["acct", "acount"], "message": ["msg"], "number": ["nr", "no."], "someone": ["smone", "some1"],
    "password": ["pw", "pasword", "passwrod"], "refund": ["refnd", "reffund"], "return": ["retrun", "retun"], "invoice": ["invoce", "inovice"], "address": ["adress", "addres"], "receive": ["recieve"],
    "received": ["recieved"], "package": ["pakage", "packge"], "parcel": ["parcle"], "tomorrow": ["tmrw", "tomorow"], "today": ["2day"], "for": ["4"], "to": ["2"], "okay": ["k"], "cancel": ["cancle"],
    "exchange": ["exchnage", "xchange"], "warranty": ["waranty", "warrenty"], "appointment": ["apointment", "appt"], "discount": ["discout", "disc"], "weeks": ["wks"], "minutes": ["mins"],
    "what is": ["whats"], "how much": ["hw much"], "definitely": ["definately"], "verification": ["verif", "verfication"], "customer": ["costumer"], "available": ["avail", "availible"],
}
# Letter -> neighbours on a QWERTY keyboard.
NEIGHBOURS = dict(zip("abcdefghijklmnopqrstuvwxyz", ["sqz", "vn", "xv", "sf", "wr", "dg", "fh", "gj", "uo", "hk", "jl", "k", "n", "bm", "ip", "o", "w", "et", "ad", "ry", "yi", "cb", "qe", "zc", "tu", "x"]))
EMOJI_FOR = {"快递": "📦", "退款": "💰", "生气": "😡", "手机": "📱", "蛋糕": "🎂", "电话": "☎️", "衣服": "👗", "机票": "✈️", "奶茶": "🧋", "refund": "💸", "package": "📦", "phone": "📱", "ticket": "🎫"}
