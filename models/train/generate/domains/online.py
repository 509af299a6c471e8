"""Software, games, telecom, media."""

BLOCK = """
@ saas account service tech
- 个 企业版|企业套餐 = enterprise plan
- 个 专业版 = pro plan
- 个 团队版 = team plan
- 个 插件 = plugin
- 个 接口|API = API
! 添加成员|加成员 = add a member to the workspace
! 导出数据 = export our data
! 升级套餐 = upgrade our plan
! 降级套餐 = downgrade our plan
! 取消自动续费|关自动续费 = turn off auto-renewal
! 绑定自己的域名|绑定域名 = connect our own domain
! 生成API密钥|创建API密钥 = create an API key
! 开单点登录|配置单点登录 = set up single sign-on
! 恢复误删的文件|恢复删除的文件 = restore a deleted file
! 转让管理员|移交管理员权限 = transfer the admin role
! 打开两步验证|开启两步验证 = turn on two-factor authentication
! 对接企业微信 = connect it to WeCom
! 申请试用 = get a free trial
! 签合同 = sign a contract
! 私有化部署|本地部署 = host it on our own servers
! 设置网页挂件|嵌入聊天窗口 = put the chat widget on our site
! 批量导入客户 = import customers in bulk
! 删除工作区 = delete the workspace
? 并发数 = the concurrency limit
? 服务等级协议 = the service level agreement
? 席位 = a seat
? 沙盒环境 = the sandbox

@ games account digital
- 个 皮肤 = skin
- 个 月卡 = monthly pass
- 个 礼包 = gift pack
- 件 装备 = item
! 找回账号 = get my account back
! 解封账号|申请解封 = get my account unbanned
! 举报外挂|举报开挂 = report a cheater
! 换绑手机 = link another phone number
! 领礼包|兑换礼包码 = redeem a gift code
! 找回丢失的装备|找回装备 = recover lost items
! 申请未成年退款|给孩子充值退款 = get back money my child spent
! 改游戏名|改名 = change my player name
! 转区|换服务器 = move to another server
! 解除防沉迷 = lift the playtime limit
! 下载客户端 = download the client
! 合并账号 = merge two accounts
? 防沉迷 = the playtime limit for minors
? 首充 = the first top-up bonus
? 掉线重连 = reconnecting after a drop
? 公测 = the open beta

@ telecom account service tech
- 个 流量包 = data pack
- 个 5G套餐|套餐 = 5G plan|mobile plan
- 条 宽带 = broadband|internet line
- 张 电话卡|手机卡 = SIM card
- 张 副卡 = second SIM
! 改套餐|换套餐 = change my plan
! 查流量|查剩余流量 = check my remaining data
! 查话费|查余额 = check my balance
! 携号转网 = keep my number and switch network
! 补办手机卡|补卡 = replace my SIM card
! 注销手机号|销号 = cancel my number
! 开国际漫游|开通国际漫游 = turn on roaming
! 关闭增值业务|退订增值业务 = unsubscribe from paid extras
! 装宽带 = get broadband installed
! 移宽带|宽带移机 = move my broadband to a new address
! 报修宽带|报宽带故障 = report a broadband fault
! 停机保号 = suspend my number
! 复机|恢复开机 = reactivate my number
! 过户手机号 = transfer a number to another person
! 充话费 = top up my phone
! 改WiFi密码 = change the WiFi password
! 退还光猫 = return the modem
? 合约期 = the contract period
? 低消 = the minimum monthly charge
? 携号转网 = number porting
? 定向流量 = app-only data

@ media account digital
- 个 会员|视频会员 = membership
- 个 音乐会员 = music subscription
- 个 年卡 = annual membership
- 本 电子书 = e-book
! 取消连续包月|关闭连续包月 = cancel the monthly renewal
! 在电视上登录 = sign in on the TV
! 踢掉其他设备|移除登录设备 = sign out other devices
! 下载离线视频|缓存视频 = download videos for offline use
! 关弹幕 = turn off the live comments
! 改个人昵称|改昵称 = change my nickname
! 投稿 = publish a video
! 申诉被删的视频|申诉视频下架 = appeal against a removed video
! 开青少年模式 = turn on the kids' mode
! 把会员送人|赠送会员 = give a membership as a gift
! 申请认证|加V = get verified
? 连续包月 = the monthly auto-renewal
? 超前点播 = early access
? 同时在线设备数 = the device limit
"""
