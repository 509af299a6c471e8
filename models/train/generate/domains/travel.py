"""Travel and everything that carries."""

BLOCK = """
@ hotel booking service visit
- 间 大床房 = double room
- 间 双床房|标间 = twin room
- 间 套房 = suite
- 间 家庭房 = family room
- 间 海景房 = sea-view room
! 延迟退房|晚点退房 = check out late
! 提前入住 = check in early
! 加床 = add an extra bed
! 改入住日期|改期 = change the dates of my stay
! 寄存行李|存行李 = leave my luggage
! 带宠物入住|带狗入住 = bring my dog
! 订机场接送|约接机 = book an airport pick-up
! 订会议室 = book a meeting room
! 找回落在房间的东西 = get back something I left in the room
! 换房间|换房 = change rooms
! 退押金 = get my deposit back
! 升级房型 = upgrade my room
! 加早餐 = add breakfast
? 不可取消 = a non-refundable rate
? 押金 = the deposit
? 钟点房 = an hourly room
? 双早 = breakfast for two

@ airline booking service
- 张 机票 = flight ticket
- 张 往返机票 = return ticket
- 张 商务舱机票 = business class ticket
- 张 儿童票 = child ticket
! 改签机票|改签 = change my flight
! 退机票|退票 = cancel my flight ticket
! 选座|在线选座 = choose a seat
! 值机|网上值机 = check in
! 托运行李 = check in luggage
! 买额外行李额|加行李额 = buy extra baggage
! 开延误证明 = get a certificate of delay
! 补登里程 = claim missing miles
! 申请轮椅服务 = request a wheelchair
! 改护照信息|改证件号 = correct the passport number
! 带婴儿登机 = fly with a baby
! 托运宠物 = take my pet in the hold
! 订特殊餐食|订素食餐 = order a special meal
! 打行程单 = print the itinerary
! 找丢失的行李|找行李 = trace my lost luggage
? 免费行李额 = the free baggage allowance
? 联程票 = a connecting ticket
? 航变 = a schedule change
? 退改规则 = the change and refund rules
? 候补 = standby

@ train booking service
- 张 高铁票|动车票 = high-speed train ticket
- 张 火车票 = train ticket
- 张 卧铺票 = sleeper ticket
- 张 学生票 = student ticket
! 改签火车票 = change my train ticket
! 退火车票 = cancel my train ticket
! 候补购票|抢候补票 = join the waiting list for a ticket
! 报销车票|取报销凭证 = get a receipt for the train ticket
! 买儿童票 = buy a child ticket
! 核验身份信息 = verify my identity
! 添加乘车人|加乘客 = add a passenger
! 带猫坐高铁 = take my cat on the train
! 变更到站 = change the destination
! 找落在车上的东西 = find something I left on the train
! 补票 = buy a ticket on board
! 换座位 = swap seats
? 候补订单 = a waiting-list order
? 静音车厢 = a quiet carriage
? 中转换乘 = a transfer between trains
? 学生优惠资质 = the student discount check

@ courier parcels service contact_point
! 寄快递|寄件 = send a parcel
! 改收件地址 = change the recipient's address
! 拦截快递|截回快递 = stop a parcel on its way
! 预约上门取件|约快递员取件 = book a pick-up
! 查快递 = track a parcel
! 保价|给包裹保价 = insure a parcel
! 寄国际件|寄到国外 = send a parcel abroad
! 申请赔偿丢件|丢件理赔 = claim for a lost parcel
! 寄大件 = send a bulky item
! 寄生鲜 = send fresh food
! 放驿站|让快递放驿站 = have it left at the pick-up point
! 要求送货上门 = have it brought to the door
! 寄电池 = send a battery
! 取消寄件 = cancel a pick-up
! 换取件码|找取件码 = get the pick-up code again
? 保价 = parcel insurance
? 到付 = cash on delivery
? 禁寄物品 = prohibited items
? 取件码 = the pick-up code
? 轻抛货 = volumetric weight

@ rides service account
- 单 网约车|打车订单 = ride
- 辆 共享单车 = shared bike
- 辆 租的车|租车 = rental car
- 单 代驾 = designated driver
! 取消行程|取消打车 = cancel my ride
! 联系司机 = contact the driver
! 找落在车上的手机|找回丢在车上的东西 = get back the phone I left in the car
! 申诉多收的车费|申诉车费 = dispute a fare
! 改目的地 = change the destination
! 投诉司机 = report a driver
! 预约用车|预约车 = book a ride in advance
! 给别人叫车 = book a ride for someone else
! 开行程单 = get a trip receipt
! 退单车押金 = get the bike deposit back
! 异地还车 = return the car in another city
! 注册成为司机|当司机 = become a driver
? 动态调价 = surge pricing
? 取消费 = the cancellation fee
? 不计免赔 = full damage cover
? 违章押金 = the traffic fine deposit

@ takeaway food meal account
- 份 外卖 = takeaway|food delivery
- 份 炸鸡 = fried chicken
- 杯 奶茶 = bubble tea|milk tea
- 份 麻辣烫 = spicy hot pot
- 个 汉堡 = burger
- 份 披萨 = pizza
- 份 盖浇饭 = rice bowl
- 杯 咖啡 = coffee
- 份 寿司 = sushi
! 修改备注 = change the note to the restaurant
! 催骑手|催单 = hurry the rider
! 联系骑手 = contact the rider
! 申请少送赔偿 = claim for a missing dish
! 预约送达时间|定时送 = schedule a delivery
! 用红包|使用红包 = use a voucher
! 开外卖店|入驻外卖平台 = open a shop on the platform
! 换餐具数量 = change the number of cutlery sets
! 不要辣|备注不要辣 = ask for no chilli
? 准时宝 = the on-time guarantee
? 起送价 = the minimum order
? 打包费 = the packaging fee
"""
