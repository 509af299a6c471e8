"""The conversation itself: greetings, thanks, asking for a person, yes and no."""

BLOCK = """
@ greeting.hello plain aligned
: (你好|您好|哈喽|嗨|hello|hi)(|呀|啊|～|!)
: [早上好|下午好|晚上好](|呀|啊|～)
: (你好|您好)(，|,| )(想咨询一下|我想问个事|问个问题|有个问题请教)
: (客服|)(在吗|有人吗|在不在)(|？|呀)
> (hi|hello|hey)( there|)(|!|,| anyone there?| anyone online?)
> good [morning|afternoon|evening](|!| to you)
> (hi|hello), (I have a question|quick question|can I ask something|got a minute?)
> (is anyone there|anybody there|anyone around|are you there)(?|)

@ thanks.thanks plain aligned
: (谢谢|谢了|多谢|感谢|谢谢你|谢谢您|非常感谢|太感谢了|谢谢啦)(|！|～|啊|哈)
: (好的|明白了|知道了|懂了|行|OK|收到|可以了)(，|,| )(谢谢|谢了|多谢|感谢|辛苦了|麻烦你了)
: (麻烦|辛苦)(你|您)了(|，谢谢)
: (解决了|搞定了|弄好了|可以用了)(，|,| )(谢谢|多谢|太感谢了)
> (thanks|thank you|thx|many thanks|cheers|ty)(| a lot| so much|!| very much)
> (ok|great|perfect|got it|that worked|all sorted)(,| -|!) (thanks|thank you|cheers|much appreciated)
> (I appreciate|really appreciate) (it|your help|the help)
> (it works now|that solved it|problem solved|all fixed)(,| -|!) (thanks|thank you|cheers)

@ goodbye.bye plain
: (再见|拜拜|拜|88|先这样|回见|下次聊|拜了)(|啦|吧|～|！)
: (没事了|没别的事了|没有问题了|没问题了)(|，)(再见|拜拜|先这样|你忙吧|不打扰了)
: (那我先|我先)(下了|走了|去忙了|撤了)(|，拜拜|，再见|哈)
: (祝你|祝您)(生活愉快|工作顺利|周末愉快)(，再见|，拜拜|)
> (bye|goodbye|bye bye|see you|see ya|cya|take care)(|!| for now| then)
> (that's all|nothing else|no more questions)(,| -) (bye|have a nice day|have a good one)
> (have a (nice|good|great) (day|evening|weekend))(|!|, bye)
> (I have to|gotta) (go|run) now(|, bye)

@ ask_person.plain plain
: (转|要|找|接|叫|换)(人工|人工客服|真人|真人客服|个人工)(|吧|一下|谢谢|！！)
: (我要|我想|帮我|麻烦|请|给我|能不能|可以)(转|找|接)(人工|人工客服|真人客服|人工服务)(|吗|一下|吧)
: (有没有|有)(人工|真人|活人)(客服|)(吗|啊|？|)
: (能|可以)(让|叫|换)(个|)(真人|人工|活人|客服人员)(来|)(跟我说|回答|处理|聊|解决)(吗|一下|)
: (不要|别|不想)(跟|和)机器人(聊|说|讲)(了|)，(转人工|要人工|找个真人来)
: 人工(|！|!!|客服|服务|在吗|呢)
: (怎么|如何|在哪)(转|联系|找)(人工|人工客服|真人)
> (I want to|I'd like to|can I|could I|let me|I need to|please let me) (talk|speak|chat) (to|with) (a person|a human|someone|an agent|a real person|customer service|a representative)
> (human|agent|real person|representative|operator)( please|!| pls|)
> (connect|transfer|put|pass) me (to|through to) (a human|an agent|a person|someone real|your team)
> (is there|do you have) (a real person|a human|an actual person|somebody) (I can talk to|I can speak with|available)
> (how do I|how can I) (reach|get|get through to|speak to) (a human|a person|an agent|a real person)
> (I don't want|I'm done talking to|no more) (a bot|the bot|bots), (give me|get me|I want) (a person|a human|an agent)

@ ask_person.manager plain
: (叫|让|找|我要找)(你们|)(经理|主管|领导|负责人|店长|老板)(来|出来|过来|)(跟我说|处理|回话|)
: 我(要|想)(跟|和)(你们|)(经理|主管|负责人|上级)(谈|说|沟通|反映)
> (I want to|let me|I'd like to) (speak|talk) (to|with) (a manager|your manager|your supervisor|the person in charge)
> (get|give) me (your|a|the) (manager|supervisor)( now|)

@ bot_question.are_you plain
: (你是|你们是|这是)(机器人|真人|人工|AI|自动回复)(吗|吧|么)
: (现在|对面|跟我聊的|回我的)是(人|真人|机器人|AI)(吗|吧|么)
: 你(到底|究竟|)是(不是)(人|真人|机器人|AI)(啊|)
> are you (a bot|a robot|human|a real person|an AI|a machine)(?|)
> am I (talking|chatting|speaking) (to|with) (a bot|a human|a real person|a machine|an AI)(?|)
> is this (a bot|automated|an automated reply|an AI)(?|)

@ confirm.yes plain
: (对|是|是的|对的|嗯|嗯嗯|没错|好|好的|行|可以|可以的|OK|ok|没问题|同意|确认|就这样)(|吧|！|～|呀)
: (对|是的|嗯|没错|好)(，|,| )(就是这样|就是这个|按这个来|就这么办|确认|是我|没问题)
> (yes|yep|yeah|yup|sure|ok|okay|right|correct|exactly|of course)(| please|!|, that's it|, go ahead|, that's right)
> (that's right|that's correct|sounds good|go ahead|do it|I agree|I confirm|fine by me)

@ deny.no plain
: (不|不是|不对|不行|不要|不用|不用了|没有|不可以|算了|不需要)(|啊|吧|！|，谢谢|的)
: (不是|不对|错了)(，|,| )(不是这个|我问的不是这个|我不是这个意思|你理解错了|不是这个意思)
> (no|nope|nah|not really|no way|no need)(|!| thanks|, thank you|, that's wrong|, not that)
> (that's (wrong|not right|not it|not what I (asked|meant)))
> (never mind|forget it|I don't want that|not this one)

@ complaint.general
: (我要|我想)(投诉|举报)(你们|你们公司|这个客服|你们店|刚才那个客服|你们平台)
: (你们|你们家)(这|)(服务|态度|售后)(太差|真差|太烂|差劲|也太敷衍|真让人无语)了(|，我要投诉|，投诉你们)
: (再|你们再)(不解决|不处理|不给说法|拖下去)我就(打12315|去消协投诉|曝光你们|给差评|投诉到底)
: (骗子|坑人|垃圾|无良商家|太坑了|什么破店)(，|,| |！)(投诉|我要投诉|必须投诉|等着收投诉吧)
: (怎么投诉|投诉电话多少|在哪投诉|投诉渠道是什么|找谁投诉)(|？|啊)
: (太失望了|气死我了|忍不了了|非常不满意|体验极差)，(我要投诉|给个说法|必须给我个说法|你们怎么赔偿)
> (I want to|I'd like to|I need to) (make|file|lodge) a (formal |)complaint(| about your service| about your staff|)
> (your|this) (service|support|company) is (terrible|awful|a joke|unacceptable|the worst)(|, I want to complain|, I'm reporting you)
> (how|where) (do|can) I (complain|file a complaint|make a complaint)(|?| about you)
> (I'm|I am) (so|really|extremely|very) (disappointed|angry|unhappy|frustrated)(| with you| with your service|, this is unacceptable)
> (if you don't|unless you) (fix this|sort this out|solve this)(,|) I('ll| will) (leave a bad review|report you|go to consumer protection)

@ complaint.rude_staff
: (刚才|昨天|上次|你们)(那个|的|那位)客服(态度|说话)(很差|太冲|特别恶劣|不耐烦|阴阳怪气)(|，我要投诉他|，投诉)
: (投诉|举报)(刚才|昨天|上次)(那个|那位|的)(态度不好的|骂人的|爱答不理的|)客服
> (the|your) (agent|employee|person) I (spoke to|talked to|chatted with) (just now|yesterday|earlier) was (rude|very rude|impolite|dismissive)
> I want to (report|complain about) the (rude |)agent (I had yesterday|from earlier|I just spoke to)

@ urge.reply aligned
: (怎么|为什么)(没人|还不|都不|一直不|不)(回|回复|回我|理人|搭理我)(|啊|呢|？？)
: (人呢|还在吗|回一下|说话啊|快回|回我一下|能不能回一下)(|！|？|啊)
: (等了|我等|都等)(半天|一个小时|二十分钟|好久|一上午)(了|)(|，)(没人回|也没人理|还没回|能快点吗)
: (快点|搞快点|能不能快一点|麻烦快点|抓紧|赶紧的|速度)(|，|！)(我很急|急用|急急急|在线等|等着呢|)
> (why is nobody|how come nobody is|why is no one) (answering|replying|responding)(| to me|?)
> (hello?? anyone|still there?|are you going to answer?|hello? hello?)
> (I've been|been|I have been) waiting (for |)(an hour|20 minutes|half an hour|ages|forever)(|,) (please|can you|could you) (hurry|answer|reply)(| up|)
> (please hurry|hurry up|can you be quicker|as fast as possible please|this is urgent)(|, I'm in a hurry|!)

@ urge.process
: (我的|那个|昨天的|上次的)(问题|申请|工单|事情)(处理|解决|弄)(得怎么样了|好了没|到哪了|好没有|了吗)
: (催|再催|帮我催|麻烦催)一下(我的|)(申请|工单|处理进度|审核)
: (怎么还没|到现在还没|都{days}了还没)(处理|解决|审核|给我答复|结果)(啊|呢|？|)
> (what's|what is) (happening|going on) with my (request|ticket|case|issue)
> (any|is there any) (update|news|progress) on my (request|ticket|case|issue)(?|)
> (can|could) you (please |)(speed up|push|chase|expedite) my (request|ticket|case|application)
> it's been {days} and (still nothing|no answer|nobody has solved it|there's no result)
"""
