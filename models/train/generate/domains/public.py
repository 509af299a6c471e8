"""Public offices, hospitals, schools."""

BLOCK = """
@ tax visit office
! 申报个税|报个税 = file my income tax return
! 个税退税|申请退税 = claim my tax refund
! 填专项附加扣除 = fill in the special deductions
! 更正申报 = correct a tax return
! 开完税证明 = get a tax payment certificate
! 代开发票 = have an invoice issued by the tax office
! 办税务登记 = register for tax
! 注销税务登记 = cancel a tax registration
! 申领数电发票额度 = apply for an e-invoice quota
! 缴车辆购置税 = pay the vehicle purchase tax
! 补缴税款|补税 = pay back taxes
! 更改办税人员 = change the person who handles our taxes
? 专项附加扣除 = special deductions
? 汇算清缴 = the annual tax settlement
? 小规模纳税人 = a small-scale taxpayer
? 滞纳金 = a late fee
? 起征点 = the tax threshold

@ social_security visit office
! 领失业金|申领失业金 = claim unemployment benefit
! 转移社保 = transfer my social insurance
! 补缴社保 = pay missed social insurance
! 办社保卡|办理社保卡 = get a social security card
! 激活社保卡 = activate my social security card
! 异地就医备案 = register for medical care in another city
! 报销医药费 = get medical costs reimbursed
! 提取公积金|取公积金 = withdraw my housing fund
! 转移公积金 = transfer my housing fund
! 申领生育津贴|领生育津贴 = claim maternity allowance
! 查养老金 = check my pension
! 做养老金资格认证 = confirm that I'm still entitled to my pension
! 灵活就业交社保 = pay social insurance as a freelancer
! 查缴费年限 = check my years of contribution
! 绑定亲属医保 = share my medical account with family
? 医保 = public medical insurance
? 起付线 = the threshold for reimbursement
? 灵活就业 = flexible employment
? 个人账户 = the personal account
? 缴费基数 = the contribution base

@ registration visit office
! 迁户口|办户口迁移 = move my household registration
! 给孩子上户口|新生儿上户口 = register a newborn
! 补办身份证 = replace a lost ID card
! 换身份证|身份证到期换证 = renew my ID card
! 办居住证 = apply for a residence permit
! 续签居住证 = extend my residence permit
! 办护照 = apply for a passport
! 换护照 = renew my passport
! 办港澳通行证 = apply for a Hong Kong and Macau permit
! 改名字 = change my name
! 办临时身份证 = get a temporary ID card
! 开无犯罪记录证明 = get a certificate of no criminal record
! 补户口本|补办户口簿 = replace the household register
! 换驾驶证|换驾照 = renew my driving licence
! 给车年检|办车辆年检 = get my car inspected
! 办结婚登记|领结婚证 = register a marriage
? 集体户口 = a collective household registration
? 准迁证 = a permit to move the registration
? 积分落户 = the points system for registration
? 容缺办理 = submitting documents later

@ hospital visit booking
! 预约挂号|挂号 = book an appointment with a doctor
! 取消挂号|退号 = cancel my appointment
! 改约时间 = move my appointment
! 打印检查报告|打报告 = print my test results
! 预约体检 = book a check-up
! 办住院 = be admitted
! 办出院|办理出院 = be discharged
! 复印病历 = get a copy of my medical record
! 预约核磁|约核磁共振 = book an MRI
! 打疫苗|预约疫苗 = get vaccinated
! 办就诊卡 = get a patient card
! 用医保结算 = pay with medical insurance
! 网上复诊开药 = get a repeat prescription online
! 挂专家号 = see a specialist
! 看牙|洗牙 = have my teeth cleaned
! 开病假条|开诊断证明 = get a sick note
? 专家号 = a specialist appointment
? 空腹检查 = a fasting test
? 住院押金 = the hospital deposit
? 陪护证 = a carer's pass

@ education account service
- 门 课|课程 = course
- 门 英语课 = English course
- 节 试听课 = trial lesson
- 节 钢琴课 = piano lesson
- 期 编程班|少儿编程班 = coding class
- 期 考研班 = exam preparation class
- 期 驾校课程 = driving course
! 报名 = sign up
! 预约试听 = book a trial lesson
! 请假 = ask for leave from a lesson
! 换老师 = change the teacher
! 换班|转班 = move to another class
! 看回放 = watch the recording
! 申请退费|退学费 = get the tuition back
! 延长课程有效期 = extend the validity of the course
! 领证书|拿结业证书 = get the certificate
! 查成绩 = see my exam results
! 打印准考证 = print the exam admission ticket
! 下载课件 = download the course material
! 补课 = make up a missed lesson
! 申请助学金 = apply for a scholarship
? 课时 = a lesson hour
? 试听 = a trial lesson
? 插班 = joining halfway
? 学籍 = student status
"""
