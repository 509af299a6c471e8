"""Banks, lenders, insurers, payments."""

BLOCK = """
@ bank account money visit
! 挂失银行卡|挂失卡 = report a lost bank card
! 补办银行卡 = get a replacement card
! 修改预留手机号 = change the phone number on my card
! 开通短信提醒 = turn on text alerts
! 关闭短信提醒 = turn off text alerts
! 提高转账限额|提转账额度 = raise my transfer limit
! 激活信用卡 = activate my credit card
! 注销信用卡|销卡 = close my credit card
! 打印流水|拉流水 = print my bank statement
! 解冻账户|解除冻结 = unfreeze my account
! 开通网银 = set up online banking
! 办理二类卡 = open a second-tier account
! 申请提额 = ask for a higher credit limit
! 信用卡账单分期 = pay the card bill in instalments
! 修改取款密码 = change my PIN
! 兑换外币|换外汇 = exchange foreign currency
! 查开户行 = find out which branch holds my account
! 绑定微信支付 = link the card to WeChat Pay
! 取消自动还款 = cancel the automatic repayment
! 跨行转账 = transfer to another bank
! 销户 = close my account
? 二类卡 = a second-tier account
? 最低还款额 = the minimum payment
? 账单日 = the statement date
? 年费 = the annual fee
? 大额存单 = a certificate of deposit
? 免息期 = the interest-free period
? 开户行 = the account's branch

@ loans account money
! 申请贷款 = apply for a loan
! 提前还款|提前还清 = repay the loan early
! 修改还款日 = change the repayment date
! 查还款计划 = see the repayment plan
! 延期还款|晚几天还 = postpone a repayment
! 开结清证明 = get a certificate that the loan is settled
! 换还款银行卡|换扣款卡 = change the card used for repayment
! 取消贷款申请 = withdraw my loan application
! 申请房贷 = apply for a mortgage
! 关闭借款额度|关掉额度 = close my credit line
! 查征信|查信用报告 = check my credit report
! 撤销逾期记录 = have a late-payment record removed
! 用公积金还贷 = repay the mortgage with my housing fund
? 年化利率 = the annual interest rate
? 等额本息 = equal instalments
? 逾期 = an overdue payment
? 罚息 = penalty interest
? 担保人 = a guarantor
? 授信额度 = a credit line

@ insurance account money
! 报案理赔|申请理赔 = file a claim
! 查理赔进度 = check my claim
! 退保 = cancel my policy
! 修改受益人 = change the beneficiary
! 续保 = renew my policy
! 下载电子保单 = download my policy
! 补交保费 = pay a missed premium
! 给父母买医疗险 = buy health cover for my parents
! 车险报案 = report a car accident
! 变更投保人 = change the policyholder
! 恢复失效的保单 = reinstate a lapsed policy
! 买学平险 = buy student accident insurance
! 给宠物投保 = insure my pet
? 免赔额 = the deductible
? 等待期 = the waiting period
? 犹豫期 = the cooling-off period
? 现金价值 = the cash value
? 既往症 = a pre-existing condition
? 交强险 = compulsory traffic insurance
? 重疾险 = critical illness insurance

@ payments account money
! 提现到银行卡|提现 = withdraw to my bank card
! 实名认证 = verify my identity
! 解绑银行卡 = remove a bank card
! 修改支付密码 = change my payment password
! 关闭免密支付 = turn off password-free payment
! 申请收款码|办收款码 = get a payment code for my shop
! 撤回转账|转错账撤回 = take back a transfer
! 查交易记录 = see my transaction history
! 开通亲情卡 = set up a family card
! 导出账单 = export my statement
! 充值余额 = top up my balance
! 申诉账户限制|解除账户限制 = appeal against a restriction on my account
? 免密支付 = password-free payment
? 提现手续费 = the withdrawal fee
? 零钱通 = the money fund account
? 拒付 = a chargeback
"""
