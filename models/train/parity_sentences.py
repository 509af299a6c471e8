"""The 200 sentences on which engine and trainer are compared: everyday ones and odd ones, written for this project."""

EVERYDAY_ZH = """你好
您好，在吗
怎么退货
我想退款
快递怎么还没到
物流三天没动了，帮我催一下
你们几点下班
营业时间是什么时候
转人工
我要找人工客服！！！
能开发票吗
發票可以開公司抬頭嗎
請問幾號可以到貨
我要修改收貨地址
這件衣服有沒有大一號的
付款失败但是钱扣了怎么办
验证码收不到
密码忘了，手机号也换了
优惠券用不了
什么时候补货
身高170体重65穿什么码
有没有推荐的送女朋友的礼物
你们这是什么破服务，我要投诉
谢谢
再见
订单号20240618123456789查一下到哪了
我上周五买的那双鞋，今天收到发现左右脚尺码不一样，一只42一只43，你们发货前都不检查的吗？赶紧给我换货，运费你们出！
安装需要自己动手吗
保修期多久
屏幕碎了能修吗
可以货到付款吗
退货的运费谁出
双十一还有活动吗
想跟你们公司谈合作
把我的账号注销掉
手机号换了怎么改绑定
怎么用这个App
第一次用，不会弄
天气怎么样
讲个笑话
帮我订一张明天去北京的高铁票
今天星期几
空调不制冷了，师傅什么时候能上门
宝宝一岁半可以用吗
这个含酒精吗？孕妇能不能用
我买了3件，只收到2件
包裹显示已签收，但我没收到
能不能便宜点
会员怎么续费
自动扣费怎么取消
ni hao wo yao tui huo
wuliu zenme zheme man
亲，在嘛
在？
急急急！
？？？
嗯
好的
不用了
1
不是，我说的是另一个订单
那算了吧
到底能不能退啊？？？
你是机器人吗
叫你们经理出来
尺吗偏大还是偏小
帐号登陆不上
收获地址填错了"""

EVERYDAY_EN = """hi
Hello there, anyone around?
how do I return an item
I want a refund
where is my order
My package says delivered but I never got it!!
what are your opening hours
talk to a human
I'd like to speak to an agent please
can I get an invoice
payment failed but I was charged twice
I forgot my password
the verification code never arrives
does this come in a larger size
is it in stock?
any discount for students
how long is the warranty
my screen is cracked, can you repair it
I need to change the delivery address on order #A-10293
cancel my order pls
thx
bye
this is the worst service ever
how to use the app
what's the weather like today
tell me a joke
I'm 5'11" and 180lbs, which size should I get?
do u ship 2 canada
wheres my refund its been 2 weeks
Please close my account and delete all of my data.
we would like to become a reseller of your products
can i pay with paypal or apple pay
The item arrived damaged; the box was crushed and two of the glasses were broken. I'd like a replacement sent as soon as possible, and I don't think I should have to pay for return shipping.
recommend something for my mom
I was told that somebody would call me back yesterday
refnud plese
cant log in
STOP CHARGING MY CARD
naïve café façade Ångström
antidisestablishmentarianism
unbelievably overcomplicated misconfiguration
e-mail: help@example.com, tel. +1 (555) 010-9999
https://example.com/orders/12345?ref=mail&lang=en
v2.0.1-beta+build.77
$19.99 or €17,50?
50% off!!!
Don't you think it's John's? I've said we'll, they're, you'd
C++ & C# <b>bold</b> {json: "x"}
a
OK"""

MIXED = """我的order还没ship
可以用Apple Pay吗
iPhone15Pro的case有货吗
refund什么时候到账
请帮我cancel掉order 8834
app闪退，版本3.2.1
我要VIP客服
T恤XL码还有吗
wifi连不上，路由器亮红灯
支持USB-C和Type-C吗？
快递单号SF1234567890123到哪儿了
请发email到test@example.com
这个price能不能再discount一点
size选M还是L
发我一个link"""

ODD = [
    "",
    " ",
    "\n",
    "\t\r\n ",
    "\u3000",
    "\u200b",
    "\ufeff",
    "\x00",
    "\x00\x01\x02abc\x7f",
    "a\x00b",
    "你\x07好",
    "\ufffd\ufffd",
    "👍",
    "😂😂😂",
    "👨‍👩‍👧‍👦",
    "🇨🇳🇺🇸",
    "❤️",
    "好的👌谢谢🙏",
    "快递呢😡😡😡？？？",
    "📦🚚❓",
    "☎️ 400-800-8888",
    "(╯°□°)╯︵ ┻━┻",
    "^_^",
    "T_T",
    "...",
    "。。。。。。",
    "！！！！！！！！",
    "~~~~~",
    "———",
    "【退货】《说明》“引号”‘单’",
    "「請問」『發票』",
    "①②③ ⅳ ㈠",
    "１２３ＡＢＣａｂｃ",
    "ﾊﾝｶｸｶﾅ",
    "مرحبا، أين طلبي؟",
    "שלום, איפה ההזמנה שלי?",
    "\u202eabc\u202c",
    "שלום hello 你好",
    "Привет, где мой заказ?",
    "ありがとうございます",
    "返品したいです",
    "안녕하세요 환불해 주세요",
    "สวัสดีครับ",
    "नमस्ते",
    "Tôi muốn trả hàng",
    "¿Dónde está mi pedido?",
    "Où est ma commande ?",
    "Straße Größe ẞ",
    "İstanbul ı",
    "e\u0301tude cafe\u0301",
    "Z̸̢̛a̷l̶g̵o̴",
    "ﬁﬂ ligatures",
    "𠀀𠮷𪚥",
    "㐀㐁䶵",
    "豈更車",
    "\U0001f9ff\U0001fae0",
    "\ue000\uf8ff",
    "½ ¼ ² ³ ™ © ® °C ℃ ㎡",
    "x" * 99,
    "x" * 100,
    "x" * 101,
    "好" * 126,
    "好" * 127,
    "退货 " * 200,
    "refund " * 150,
    "a b " * 70,
    "1234567890" * 12,
]


def sentences():
    """The 200 texts, in a fixed order."""
    lines = [*EVERYDAY_ZH.split("\n"), *EVERYDAY_EN.split("\n"), *MIXED.split("\n"), *ODD]
    if len(lines) < 200:
        raise AssertionError(f"only {len(lines)} sentences")
    return lines[:200]
