"""Homes: utilities, property management, renting, local services."""

BLOCK = """
@ utilities account service visit
! 交电费 = pay my electricity bill
! 交水费 = pay my water bill
! 查电费|查用电量 = check my electricity use
! 过户水电|水电过户 = put the utilities in my name
! 报停电|报修停电 = report a power cut
! 报漏水|报修水管漏水 = report a water leak
! 开通天然气|通气 = have the gas connected
! 换燃气表|换气表 = have the gas meter replaced
! 给燃气卡充值|充燃气卡 = top up the gas card
! 改阶梯电价人口|办一户多人口 = register a large household for the tariff
! 装充电桩|申请装充电桩 = install a car charger
! 查停水通知 = see when the water is cut off
! 绑定户号 = link my customer number
! 关闭自动扣费 = turn off the direct debit
? 阶梯电价 = the tiered tariff
? 峰谷电价 = the peak and off-peak tariff
? 户号 = the customer number
? 违约金 = the late payment charge

@ property service visit
! 交物业费 = pay the property fee
! 报修电梯|报电梯故障 = report a broken lift
! 办门禁卡|办理门禁卡 = get an entry card
! 租车位|申请车位 = rent a parking space
! 办装修手续|办理装修许可 = get permission to renovate
! 投诉楼上噪音|投诉邻居噪音 = complain about noise upstairs
! 登记访客|访客登记 = register a visitor
! 修下水道|疏通下水道 = have a drain unblocked
! 换灯泡|报修楼道灯 = have the hallway light fixed
! 退装修押金 = get the renovation deposit back
! 录人脸|录入人脸门禁 = register my face for the door
! 扔大件垃圾|处理大件垃圾 = get rid of bulky waste
! 暂停供暖|停暖 = suspend the heating
? 公摊 = the shared area
? 维修基金 = the repair fund
? 业主大会 = the owners' meeting

@ renting service booking visit
- 间 单间|次卧 = room
- 套 一居室|公寓 = flat|apartment
- 间 合租房 = shared flat
! 预约看房|约看房 = book a viewing
! 续租 = extend my lease
! 退租 = end my lease
! 转租 = sublet
! 报修家具|报修家电 = report a broken appliance in the flat
! 换室友|投诉室友 = complain about my flatmate
! 办租房备案|租赁备案 = register my lease
! 按月付房租|月付房租 = pay the rent monthly
! 退房租押金 = get my deposit back
! 带宠物租房|养宠物 = keep a pet in the flat
? 押一付三 = one month's deposit and three months' rent
? 服务费 = the service fee
? 转租 = subletting

@ local service booking visit contact_point
- 次 保洁 = cleaning
- 位 月嫂 = maternity nurse
- 次 搬家 = house move
- 次 按摩 = massage
- 张 健身卡 = gym card
- 次 理发|剪头发 = haircut
- 张 电影票 = cinema ticket
- 张 门票|景区门票 = admission ticket
! 预约保洁|约保洁 = book a cleaner
! 换阿姨|换保洁阿姨 = get another cleaner
! 转让健身卡|转卡 = transfer my gym card
! 停卡|健身卡停卡 = pause my gym membership
! 订包间|订个包厢 = book a private dining room
! 取消预约 = cancel a booking
! 退电影票 = cancel my cinema tickets
! 预约搬家 = book a house move
! 团购券退款|退团购券 = get a refund for a group voucher
! 预约拍证件照 = book a passport photo
! 给车做保养|约汽车保养 = book a car service
? 团购券 = a group voucher
? 次卡 = a multi-visit card
? 定金 = the down payment
"""
