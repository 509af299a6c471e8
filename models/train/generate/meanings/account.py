"""Accounts, sign-in, codes, personal data."""

BLOCK = """
@ account.register account
: (怎么|如何|咋|在哪)(注册|注册账号|开户|开通账号|创建账户)(|啊|呢)
: (注册|开户|注册账号)(不了|失败|不成功|报错)(|，怎么办|，怎么回事)
> how (do|can) I (sign up|register|create an account|open an account)(?|)
> (I can't|I cannot|I'm unable to) (register|sign up|create an account)(, what's wrong|)

@ account.close account
: (我要|我想|怎么|如何|帮我)(注销|删除|销掉)(我的|)(账号|账户|帐号)(|，怎么操作|)
: (账号|账户|帐号)(怎么|如何|在哪|可以)(注销|删除|销户)(吗|)
> (I want to|how do I|how can I|please) (delete|close|deactivate) my account(?|)
> where (do|can) I (delete|close) my account(?|)

@ account.login account aligned
: (账号|我|)(登录|登陆|登)(不上|不了|不进去)(了|)(，|)(怎么回事|怎么办|帮我看看|)
: (一直|老是|总是)(提示|显示)[账号异常|账号不存在|登录失败]
> (I can't|I cannot|I'm unable to) (log in|sign in|login|get into my account)(, what's wrong|, help|)
> (it|the app) (keeps saying|says) [account error|my account doesn't exist|login failed]
> (login|signing in|sign-in) (doesn't work|isn't working|keeps failing)

@ account.blocked account aligned
: (账号|账户|帐号)(被封|被冻结|被锁|被限制)(了|)(，|)(怎么解|怎么解封|怎么恢复|为什么|)
: (为什么|凭什么)(封|冻结|限制|锁)(我的|我)(账号|账户|号)
> my account (is|was|has been|got) (blocked|locked|banned|suspended|frozen)(, why|, how do I unlock it|)
> why (did you|would you) (block|lock|suspend|freeze) my account(?|)

@ account.hacked account aligned
: (账号|账户|号)(被盗|被别人登了|被人盗了)(了|)(，|)(怎么办|怎么找回|帮我冻结|)
: (有人|异地|陌生设备)(登录|登了)(了|)我的(账号|账户|号)(|，怎么办)
> my account (was|has been|got) (hacked|stolen|taken over)(, what should I do|, please block it|)
> (someone else|a stranger|somebody) (logged into|is using|got into) my account

@ account.edit account aligned
: (怎么|如何|在哪|想)(改|修改|换|更改)[用户名|头像|个人信息]
: (我要|想|帮我)(改|修改|更新)(一下|)[用户名|头像|个人信息]
> (how|where) (do|can) I (change|edit|update) my [username|profile picture|personal details](?|)
> I (want|need) to (change|update) my [username|profile picture|personal details]

@ password.forgot account aligned
: (忘|忘记|不记得)(了|)(登录|)密码(了|)(，|)(怎么办|怎么找回|怎么重置|帮我重置一下|)
: (怎么|如何|在哪|咋)(找回|重置|修改|改)(登录|)密码(|啊|呢)
: (密码)(输错|错)(太多次|好几次|三次)(，|)(被锁|锁住|不能登)了(怎么办|)
: (密码|登录密码)(不对|一直错|一直显示错误|改不了)(|，怎么办|，帮帮我)
> I('ve| have|) (forgot|forgotten|lost) my password(, help|, how do I reset it|, what now|)
> (how|where) (do|can) I (reset|change|recover) my password(?|)
> (I entered|I typed) the wrong password (too often|three times|too many times) and (now I'm locked out|it's locked)
> (my password|the password) (doesn't work|isn't accepted|is always wrong)

@ verification_code.none account aligned
: (收不到|没收到|一直没收到|怎么收不到)(验证码|短信验证码|校验码)(|，怎么办|怎么回事|啊)
: (验证码)(收不到|不来|没来|发不出来|一直没有)(|，怎么办|怎么回事|啊)
: (验证码)(显示|提示|一直)(错误|过期|失效|频繁|不正确)(|，怎么办|怎么回事)
: (点了|按了)(获取|发送)验证码(，|)(没反应|收不到短信|手机没短信|一直没短信)
> (I'm not|I am not|not) (receiving|getting) (the|any|my) (verification |security |)code(s|)
> (I didn't get|I haven't received|I never got|no) (the|a|any) (verification code|SMS code|text with the code)
> the (verification code|code) (is|has|keeps being) (invalid|expired|wrong|rejected)
> (I pressed|I clicked|I tapped) send code (but|and) (nothing comes|no text arrives|nothing happens)

@ phone_change.change account aligned
: (怎么|如何|在哪|咋)(改|换|修改|更换|换绑)(绑定的|绑定|账号的|)(手机号|手机号码|手机)
: (手机号|号码|电话号)(换|不用|注销|停机)了(，|)(怎么换绑|账号怎么改绑|怎么改绑定手机|登录手机怎么换)
: (原来的|旧的|以前的|绑定的)(手机号|号码)(不用|停用|注销|丢)了(，|)(怎么|没法)(换绑|改绑定|换成新的)
: (我要|我想|帮我)(换|改|解绑|换绑)(一下|)(绑定的|)(手机号|手机)
> (how|where) (do|can) I change (the|my) phone number (on|of|linked to) my account(?|)
> I('ve got| have|) (a new|changed my) (phone |)number, (how do I update it|please update it|how do I change it in my account)(?|)
> my (old|previous) (phone |)number (no longer works|is gone|was cancelled), how (can|do) I (link|add) (the|a) new one(?|)
> (I want to|please|I need to) (change|update|unlink) the (phone number|mobile number) (on|in|of) my account

@ privacy.data aligned
: (你们|为什么|怎么)(会|)有(我的|)[手机号|地址|邮箱](的|)(|？|，泄露了吧)
: (我的|)(个人信息|信息|隐私|资料)(会不会|会|是不是|怎么)(泄露|被卖|泄露了|被别人看到)(吗|啊|)
: (删除|清除|我要删除|请删除)(我的|我所有的)(个人信息|个人数据|资料|浏览记录)
: (聊天|对话|聊天记录)会(被|)(别人|其他人)看到(吗|)
: (怎么|不要再|别再)(老给我|给我|老)(打|发)(广告电话|骚扰电话|推销短信|广告短信)了
> (how|where) did you get my [phone number|address|email](?|)
> (is my data|is my personal information) (leaked|sold|safe|passed on)(?|)
> (please |I want you to |)delete (all |)my (personal |)(data|information)
> (can anyone else|can other people) (read|see) (this chat|my messages)(?|)
> stop (sending me|calling me with) (ads|adverts|spam|marketing messages|promotions)
"""
