"""Lines that no service desk is there for: small talk, general knowledge, homework, code, nonsense. Intent `out_of_scope`."""

from __future__ import annotations

import random

from .grammar import Meaning, read_meanings

BLOCK = """
@ off.weather
: (今天|明天|后天|周末|北京|上海|广州|成都)(天气|)(怎么样|热不热|冷不冷|下雨吗|会下雪吗|多少度|有雾霾吗)
: (外面|你们那边|我这里)(下雨|下雪|刮台风|降温|出太阳)了(吗|，你带伞了吗|，好烦|)
> (what's|how's) the weather (like |)(today|tomorrow|this weekend|in Paris|in Beijing|outside)(?|)
> (will it|is it going to) (rain|snow|be hot|be sunny) (today|tomorrow|on Sunday|this week)(?|)
@ off.chat
: (你|)(吃饭|吃了|睡觉|下班|起床|放假)(了吗|没|没有啊)
: 你(叫什么名字|几岁了|是男的女的|有女朋友吗|结婚了吗|喜欢什么颜色|家在哪|是什么星座|会做饭吗|会唱歌吗|会想家吗)
: (我|今天)(好无聊|好累|好困|失恋了|心情不好|很开心|睡不着|好想放假|不想上班|被老板骂了)(|啊|，陪我聊聊|，怎么办)
: (陪我聊聊天|我喜欢你|做我女朋友吧|你真可爱|你好聪明|你是不是傻|我想你了|抱抱|晚安好梦|哈哈哈哈)(|呀|～|吧)
: (周末|五一|暑假|晚上)(去哪玩|干什么|吃什么|有什么安排|看什么电影)(好|啊|呢|)
> (what's your name|how old are you|are you a boy or a girl|do you have a girlfriend|where do you live|what's your star sign|can you cook|do you dream)(?|)
> (I'm|I am) (so |very |really |)(bored|tired|lonely|sad|happy|hungry|sleepy)(| today|, talk to me|, cheer me up)
> (do you like|what do you think of) (music|football|cats|pizza|movies|me|dogs|winter|jazz)(?|)
> (I love you|marry me|you're funny|you're cute|be my friend|tell me about yourself|how was your day)(|!|?)
> what should I (eat|cook|wear|watch|do) (tonight|today|this weekend|tomorrow)(?|)
@ off.jokes
: (讲|说|来)(个|一个|两个)(笑话|故事|段子|脑筋急转弯|鬼故事|冷笑话|绕口令)(|吧|听听|给我听)
: (唱|给我唱)(首|一首)(歌|小星星|生日歌|周杰伦的歌)(|吧|听听)
: (写|帮我写|给我写)(一首|一篇|个)(诗|作文|情书|检讨书|年终总结|请假条|辞职信|朋友圈文案)(|，关于春天|，八百字|，要感人的)
> (tell|give) me a (joke|story|riddle|fun fact|bedtime story|scary story)(| please| about cats| about robots)
> (sing|write) me a (song|poem|love letter|haiku|limerick)(| about the sea| about autumn| please)
> (write|draft) (an essay|a cover letter|a speech|my resignation letter|a birthday message)(| for me| about climate| please)
@ off.knowledge
: (世界上|中国|地球上)(最高的山|最长的河|最大的湖|最大的动物|最小的国家|最深的海沟)(是什么|是哪个|叫什么|有多大)
: (光速|地球到月球的距离|人有多少块骨头|一光年|珠峰的高度|一年有多少秒)(是多少|是什么概念|你知道吗)
: (李白|苏轼|牛顿|爱因斯坦|贝多芬|秦始皇|达芬奇)(是谁|是哪里人|活了多少岁|有哪些作品|是哪个朝代的|有什么故事)
: (为什么)(天是蓝的|海水是咸的|猫怕水|人会打哈欠|树叶会变黄|月亮会跟着人走|鸡蛋是椭圆的|人要睡觉)(|啊|呢)
: (恐龙|恐龙蛋|黑洞|彩虹|量子力学|相对论|区块链|厄尔尼诺)(是什么|是怎么回事|是怎么形成的|怎么来的)
: (红烧肉|番茄炒蛋|麻婆豆腐|可乐鸡翅|饺子馅|酸菜鱼|葱油饼)(怎么做|怎么做才好吃|要放什么调料|的做法)
> (what|which) is the (highest mountain|longest river|largest country|smallest planet|biggest animal|deepest ocean)( in the world| in Africa|)(?|)
> who (was|is) (Mozart|Einstein|Cleopatra|Shakespeare|Newton|Marie Curie|Leonardo da Vinci)(?|)
> why (is the sky blue|do cats purr|is the sea salty|do we dream|do leaves fall|do people yawn|is Mars red)(?|)
> (how do I cook|what's the recipe for|how long do I boil) (pasta|an egg|rice pudding|fried noodles|dumplings|pancakes|tomato soup)(?|)
> (what is|explain) (a black hole|photosynthesis|relativity|a rainbow|inflation|a prime number|blockchain)(| in simple words|?)
@ off.homework
: (12|35|48|107|99)(乘以|乘|加|减|除以)(3|7|15|8|26)(等于几|等于多少|是多少)
: (帮我|教我|能帮我)(做|写|算|解)(数学题|作业|英语作业|这道题|化学方程式|奥数题|一元二次方程)(吗|吧|)
: (翻译|帮我翻译)(一下|)(这句话|成英文|成日语|我爱你用法语|苹果用英语)(怎么说|)
: (鸡兔同笼|勾股定理|三角形面积|求导公式|元素周期表|圆周率)(怎么算|是什么|怎么背|怎么证明)
> (what's|what is|how much is) (12|35|48|107|99) (times|plus|minus|divided by) (3|7|15|8|26)(?|)
> (can you |please |)(do|help me with|solve|finish) my (homework|maths homework|chemistry homework|history essay|physics problem)(?|)
> (how do you say|translate) (good morning|apple|I love you|where is the station|cheese) (in|into) (French|Japanese|Spanish|German)(?|)
@ off.code
: (python|java|c++|js|excel|sql)(怎么|如何)(写循环|排序|读文件|合并单元格|去重|连数据库|写爬虫|定义函数)
: (帮我写|写一个|给我写)(个|)(冒泡排序|爬虫|贪吃蛇|正则表达式|网页|shell脚本|小游戏)(|代码|，用python)
: (代码|程序)(报错|空指针|编译不过|内存溢出|死循环)(了|)(，|)(怎么改|帮我看看|怎么回事)
> (how do I|how to) (reverse a list|sort an array|read a file|write a loop|merge cells|parse JSON) in (python|java|excel|C|javascript)(?|)
> (write|give me) (a function|a script|code|a regex|a class) (that|to) (sorts numbers|parses dates|plays snake|scrapes a page|matches emails)
@ off.games_sport
: (昨晚|昨天|今晚|世界杯|欧冠|NBA)(的|)(比赛|球赛|决赛)(谁赢了|几比几|几点开始|好看吗|哪个台播)
: (你|)(支持|喜欢)(哪个球队|湖人还是勇士|梅西还是C罗|哪个歌手|什么动漫)(|啊|呢)
: (最近|)(有什么|推荐几部|有没有)(好看的电影|好看的剧|好听的歌|好看的小说|好玩的地方)(吗|推荐|)
> who won (the game|the match|the final|the race|the world cup)( last night| yesterday| in 1998|)(?|)
> (what's|recommend|any) (a good movie|a good book|a nice song|a good series|a nice anime)( to watch| for tonight| these days|)(?|)
@ off.other_people
: (我|)(邻居|同事|室友|前男友|婆婆|同桌|领导)(总是|老|天天)(不理我|吵架|打呼噜|借钱不还|说我坏话|迟到|放屁)(|怎么办|，好烦)
: (我家|隔壁|楼下)(猫|狗|孩子|老人)(不吃饭|一直叫|掉毛|不听话|失眠|感冒了)(怎么办|是不是病了|要紧吗)
: (头疼|肚子疼|发烧|失眠|牙疼|脱发)(吃什么药|怎么办|是什么病|怎么缓解)
: (离婚|借钱不还|被辞退|交通事故|遗产)(怎么打官司|要请律师吗|能告他吗|怎么赔|法律怎么规定)
: (股票|基金|黄金|比特币|房价|彩票)(会涨吗|今天怎么样|能买吗|还会跌吗|什么时候抄底)
> my (neighbour|boss|ex|roommate|mother-in-law|dog|cat|brother) (is so annoying|hates me|won't eat|snores|ignores me|barks all night)(|, what should I do)
> (I have a|what helps against|what's good for) (headache|stomach ache|sore throat|fever|toothache)(?|)
> (should I buy|will|what about) (bitcoin|gold|stocks|tech shares|house prices)( now| go up| fall|)(?|)
> can I sue (my landlord|my neighbour|my boss|my ex) (for noise|for the deposit|for defamation|over money)(?|)
@ off.time
: (现在|今天)(几点了|几号|星期几|农历几号|是什么节日|限行吗)(|？)
: (离|距离)(春节|高考|国庆|圣诞|周末)还有(几天|多少天|多久)
> (what time is it|what day is it|what's the date)( today| now| in Tokyo| in London|)(?|)
> how many (days|weeks) (until|till) (Christmas|summer|the weekend|Easter|Halloween)(?|)
@ off.test
: (测试|试一下|测试测试|111|看看能不能发|试试|测试一条消息)(|1|2|3|123|。|！)
: (随便看看|没什么事|就是问问|发错了|点错了|手滑|不好意思发错人了|打错字了)(|。|～|，没事)
> (test|testing|just testing|test 123|is this on|one two three)(|!|.)
> (wrong window|sorry, wrong chat|never mind, wrong person|just looking|oops|my cat typed that)(|.|!)
@ off.devices
: (打开|关掉|调低)(客厅的灯|空调|电视|窗帘|音量|闹钟)(|吧|一下)
: (帮我|给我)(定|设|叫)(个|)(明早七点的闹钟|车去机场|外卖|提醒)(，|)(谢谢|)
: (导航到|怎么坐地铁去|去火车站怎么走到)(天安门|人民广场|最近的加油站|西湖|机场)
> (turn on|turn off|dim) (the lights|the TV|the heating|the music|the alarm)(| please|)
> (set|cancel) (an alarm|a timer|a reminder) for (7 am|ten minutes|tomorrow morning)
> (play|skip|pause) (some jazz|this song|the news|my playlist|a podcast)
"""
TEMPLATES: list[Meaning] = read_meanings(BLOCK)

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BITS_ZH = (
    "啊 哦 嗯 额 哈 呵呵 嘿嘿 嘻嘻 呃 唉 哎 喔 噗 汗 囧 略略略 啦啦啦 滴滴滴 咳咳 嘤嘤嘤 哼 切 咦 嗷 喵 汪 嘟嘟".split()
)
_BITS_EN = "lol hmm haha meh ugh oh wow yo blah xd idk umm lmao boop pfft brb la nom woof".split()
_FACES = "😂 😅 🤔 👍 🐶 🌹 🎉 💩 🙈 😴 ❤️ 🔥 👀 🍉 🐱 🌙 ✨ 🥳 😎 🤡".split()


def _keys(rng: random.Random) -> str:
    row = rng.choice(_ROWS)
    return "".join(rng.choice(row) for _ in range(rng.randrange(1, 12)))


def _marks(rng: random.Random) -> str:
    return rng.choice("。？！.?!，,~～-=+*/、") * rng.randrange(1, 8)


def _digits(rng: random.Random) -> str:
    return str(rng.randrange(10 ** rng.randrange(1, 8)))


def _sounds(words: list[str]):
    return lambda rng: "".join(
        rng.choice(words) + rng.choice(("", "", "～", " ", "。。", "!")) for _ in range(rng.randrange(1, 4))
    )


def _emoji(rng: random.Random) -> str:
    return "".join(rng.choice(_FACES) for _ in range(rng.randrange(1, 5)))


# Lines made of noise only; each function makes one from a random source.
FREE = {"zh": [_keys, _marks, _digits, _sounds(_BITS_ZH), _emoji], "en": [_keys, _marks, _sounds(_BITS_EN), _emoji]}
