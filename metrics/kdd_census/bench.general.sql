-- Work and income.

-- name: income by education and sex
-- kind: groups
-- keys: education, sex
-- values: n=count, rich=ratio, weeks=mean(weeks_worked_in_year)
-- support: n   min_support: 50
SELECT education, sex, count(*) AS n, avg((income_gt_50k = '50000+.')::INT) AS rich,
  avg(weeks_worked_in_year) AS weeks
FROM core
WHERE age >= 16
GROUP BY education, sex;

-- name: best paid industries
-- kind: topk
-- keys: major_industry_code
-- values: rich=ratio, n=count
-- order: rich desc   k: 8
SELECT major_industry_code, avg((income_gt_50k = '50000+.')::INT) AS rich, count(*) AS n
FROM core
WHERE weeks_worked_in_year > 0
GROUP BY major_industry_code
HAVING count(*) >= 100;

-- name: year in work
-- kind: share            weeks worked are almost all or nothing
-- keys: weeks, sex
-- values: n=count
SELECT weeks_worked_in_year // 13 AS weeks, sex, count(*) AS n
FROM core
WHERE age BETWEEN 16 AND 64
GROUP BY weeks, sex;

-- name: income from shares
-- kind: groups
-- keys: band
-- values: owners=ratio, amount=mean(dividends_from_stocks)
-- support: n   min_support: 50
SELECT age // 10 * 10 AS band, count(*) AS n, avg((dividends_from_stocks > 0)::INT) AS owners,
  avg(dividends_from_stocks) AS amount
FROM core
GROUP BY band;
