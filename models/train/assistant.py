"""Chinese requests to a general assistant, from frames written for this project: what visitors ask that is no customer
service (weather, music, trains, sums, poems, small talk). They widen the student's ground and teach it what lies out of
scope. Slots are filled from short lists here and from words of jieba's dictionary (MIT)."""
import random
import re

SLOTS = {
    "day": "今天 明天 后天 周末 下周 下周一 周五 星期天 这周六 大后天 月底 国庆 春节 五一 现在 今晚 明早 下个月 下午 晚上".split(),
    "time": "早上七点 八点半 下午三点 晚上十点 十分钟后 半小时以后 明早六点 中午 一个小时后 每天早上 五点整 九点一刻".split(),
    "app": "微信 支付宝 浏览器 相机 计算器 地图 音乐播放器 阅读软件 视频软件 日历 手电筒 设置 应用商店 录音机 蓝牙 输入法 安全管家 游戏中心 邮箱 记事本".split(),
    "dish": "红烧肉 鱼香肉丝 番茄炒蛋 糖醋排骨 麻婆豆腐 水煮鱼 蛋炒饭 酸菜鱼 宫保鸡丁 可乐鸡翅 土豆丝 煎饼 饺子 皮蛋粥 蛋糕 凉面 排骨汤 牛肉面 馒头 豆浆".split(),
    "art": "歌 老歌 儿歌 流行歌曲 钢琴曲 摇滚 轻音乐 情歌 民谣 粤语歌 英文歌 广场舞曲 相声 评书 有声小说 睡前故事 广播 戏曲".split(),
    "show": "电影 电视剧 动画片 综艺节目 纪录片 新闻 球赛 短视频 喜剧片 科幻片 动作片 恐怖片 韩剧 美剧 武侠剧 演唱会".split(),
    "lang": "英语 日语 法语 韩语 德语 俄语 西班牙语 泰语 意大利语".split(),
    "sport": "足球 篮球 网球 乒乓球 羽毛球 排球 游泳 田径 世界杯 奥运会 联赛 欧冠".split(),
    "ill": "感冒 发烧 咳嗽 头疼 失眠 胃疼 过敏 牙疼 高血压 腰疼 拉肚子 嗓子疼 近视 口腔溃疡 颈椎病 糖尿病".split(),
    "star": "白羊座 金牛座 双子座 巨蟹座 狮子座 处女座 天秤座 天蝎座 射手座 摩羯座 水瓶座 双鱼座".split(),
    "site": "购物网站 新闻网站 视频网站 招聘网 论坛 学校官网 搜索引擎 贴吧 博客 政府网站".split(),
    "unit": "公里换算成英里 斤等于多少公斤 美元换成人民币 平方米是多少亩 摄氏度换华氏度 欧元兑人民币 英寸等于多少厘米 日元汇率 港币换算".split(),
    "kin": "妈妈 爸爸 老婆 老公 同事 老板 小王 李老师 张经理 客户 舍友 姐姐 弟弟 王医生".split(),
    "say": "我晚点到家 会议改时间了 生日快乐 你在哪里 记得吃药 我已经出发了 晚上一起吃饭 新年好 帮我带份饭 谢谢你".split(),
    "num": "3 5 7 8 12 15 18 24 36 48 50 99 100 128 256 365 1000".split(),
    "op": "加 减 乘 乘以 除以".split(),
    "poet": "李白 杜甫 苏轼 白居易 王维 李清照 辛弃疾 陶渊明 孟浩然 杜牧 王之涣 陆游".split(),
}

FRAMES = """
{day}{place}天气怎么样|{place}{day}会下雨吗|{place}气温多少度|{day}要不要带伞|{place}空气质量好不好|{day}出门穿什么|{place}的天气预报|{place}{day}有雾霾吗
打开{app}|启动{app}|帮我把{app}打开|关掉{app}|下载{app}|{app}|卸载{app}|运行一下{app}|我要用{app}
{dish}怎么做|教我做{dish}|{dish}的做法|{dish}要放什么调料|做{dish}需要哪些材料|{noun}怎么做好吃|想学做{dish}|{dish}的菜谱
放一首{art}|来点{art}|我想听{art}|播放{person}的{art}|换一首|下一首|{person}唱的歌|单曲循环|收藏这首歌|有没有好听的{art}|停止播放
我想看{show}|{person}演的{show}|推荐一部{show}|最近有什么好看的{show}|{show}几点开始|{day}电视上放什么|播放{show}|{show}第{num}集
{place}到{place}的火车票|{day}去{place}的高铁|查{place}到{place}的车次|{place}飞{place}的机票|{day}{place}飞{place}的航班|去{place}坐什么车|{place}到{place}有长途汽车吗|{day}有没有去{place}的大巴|{place}到{place}的动车几点|飞{place}的特价机票
{place}怎么走|导航到{place}|附近有没有{noun}|{place}离这里多远|去{place}最快的路线|最近的{noun}在哪|从{place}到{place}开车多久|{place}在什么位置|{place}的地图|查一下到{place}坐几路公交
{place}有什么好玩的|{place}旅游攻略|{place}门票多少钱|{place}附近的酒店|帮我订{place}的酒店|{place}有什么特产|{place}有哪些小吃|附近有什么好吃的|{place}哪家饭店好吃
{num}{op}{num}等于几|{num}的平方|{unit}|{num}{op}{num}|算一下{num}{op}{num}{op}{num}|{num}的百分之{num}是多少|根号{num}
{noun}用{lang}怎么说|把{noun}翻译成{lang}|{lang}的{verb}怎么讲|翻译一下{noun}|{noun}的{lang}单词|帮我翻译这句话
{time}叫我起床|设个{time}的闹钟|提醒我{time}{verb}|{day}{time}有个会|{day}要交作业帮我记一下|取消{time}的闹钟|我{day}有什么安排|{time}提醒我给{kin}打电话|删除{day}的日程
给{kin}打电话|打给{kin}|{kin}的电话号码是多少|拨打{num}{num}|呼叫{kin}|存一下{kin}的号码|查找{kin}的联系方式|回拨刚才的电话|挂断
给{kin}发短信说{say}|发条短信给{kin}|告诉{kin}{say}|写一封邮件给{kin}|查看新短信|给{kin}发邮件|读一下短信|有没有新邮件|回复{kin}{say}
{poet}的诗|背一首{poet}的诗|{noun}的诗句|带{noun}字的古诗|这句诗的下一句是什么|{poet}写过哪些词|描写{noun}的诗|{poet}的生平
{ill}怎么办|{ill}吃什么药|{ill}了怎么缓解|得了{ill}不能吃什么|{ill}是什么原因|经常{ill}要去看医生吗|{ill}有什么偏方|怎么预防{ill}
{noun}的股价|{noun}股票今天涨了吗|大盘怎么样|查一下{noun}的股票|今天股市行情|{noun}开盘价|沪指多少点
{star}今天的运势|{star}的性格|{star}和{star}配吗|我的星座运势|{star}这个月财运
讲个笑话|来个谜语|猜个谜|出个脑筋急转弯|打一{noun}的谜语|给我讲个故事|说个{noun}的笑话|再来一个|逗我开心|讲个鬼故事
{sport}比赛结果|昨晚{sport}谁赢了|{day}有{sport}比赛吗|{sport}直播|{person}进了几个球|{sport}排名|{sport}赛程
双色球开奖号码|大乐透{day}开奖吗|上期彩票开的什么|彩票{num}期结果|这期福彩号码|怎么买彩票
{day}有什么新闻|看看{place}的新闻|{noun}的最新消息|国际新闻|{sport}新闻|头条新闻|播报新闻|娱乐新闻
打开{site}|上{site}|进入{site}|登录{site}|搜一下{noun}|百科{noun}|{noun}的意思|{noun}是什么|谁是{person}|{person}多大了|{person}是谁|{person}的老婆是谁
收听{place}电台|打开收音机|调到音乐频道|{place}交通广播|听广播|换个台|调频{num}点{num}|中央台|打开{place}卫视|体育频道在播什么|{day}晚上{place}卫视演什么
{person}的小说|我想看{noun}小说|推荐一本书|{noun}的书|下载小说|言情小说|更新最快的小说|继续读上次的书
你叫什么名字|你多大了|你会做什么|你喜欢我吗|我好无聊|陪我聊聊天|你真聪明|你真笨|今天心情不好|我失恋了|你吃饭了吗|晚安|早上好|下午好|好久不见|你在干嘛|你有男朋友吗|我爱你|我好累啊|笑死我了|哈哈哈|随便说点什么|你是男的女的|你从哪里来|真的吗|为什么呢|不知道|我不开心|我要睡觉了|你会唱歌吗|我想你了|你好漂亮|你讨厌|{person}帅不帅|你认识{person}吗|我喜欢{noun}|你喜欢{noun}吗|{noun}好看吗|我想{verb}|一起{verb}吧|{day}好冷|{day}星期几|现在几点|{day}是几号|离{day}还有几天|农历今天几号|{day}放假吗|几号立春
"""

OPEN = "帮我 请 麻烦 我想 能不能 可以 请问 请帮我 给我 我要 你能 那个 喂".split()
CLOSE = "吧 呢 啊 谢谢 可以吗 好吗 一下 行不行 呀 ？ 。".split()


def lines(nouns, verbs, places, people, count, seed):
    """`count` distinct texts; the arguments are words to fill in."""
    r = random.Random(seed)
    topics = [[f.strip() for f in row.split("|")] for row in FRAMES.strip().split("\n")]
    pools = {**SLOTS, "noun": nouns, "verb": verbs, "place": places, "person": people}
    seen = {}
    while len(seen) < count:
        frame = r.choice(r.choice(topics))
        text = re.sub(r"{(\w+)}", lambda m: r.choice(pools[m[1]]), frame)
        if r.random() < 0.15 and not text.startswith(tuple(OPEN)):
            text = r.choice(OPEN) + text
        if r.random() < 0.15:
            text += r.choice(CLOSE)
        if text not in seen or r.random() < 0.02:  # a frame without slots soon repeats: let the count end
            seen.setdefault(text if text not in seen else f"{text}{r.choice(CLOSE)}")
    return list(seen)[:count]
