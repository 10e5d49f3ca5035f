-- Questions about work and income that any analyst of this survey asks first.

-- name: income by education and sex
-- kind: groups
-- keys: education, sex
-- values: n=count, rich=ratio, hours=mean(hours_per_week)
-- support: n   min_support: 20
SELECT education, sex, count(*) AS n, avg((income = '>50K')::INT) AS rich, avg(hours_per_week) AS hours
FROM core
GROUP BY education, sex;

-- name: returns to education
-- kind: groups            does each further step of schooling pay, as it does in the survey?
-- keys: education_num
-- values: rich=ratio, age=mean
-- support: n   min_support: 20
SELECT education_num, count(*) AS n, avg((income = '>50K')::INT) AS rich, avg(age) AS age
FROM core
GROUP BY education_num;

-- name: best paid occupations
-- kind: topk
-- keys: occupation
-- values: rich=ratio, n=count
-- order: rich desc   k: 5
SELECT occupation, avg((income = '>50K')::INT) AS rich, count(*) AS n
FROM core
WHERE occupation IS NOT NULL
GROUP BY occupation
HAVING count(*) >= 30;

-- name: income over the working life
-- kind: groups            the hump that peaks around fifty
-- keys: band, sex
-- values: rich=ratio
-- support: n   min_support: 20
SELECT age // 5 * 5 AS band, sex, count(*) AS n, avg((income = '>50K')::INT) AS rich
FROM core
GROUP BY band, sex;

-- name: work by class of worker
-- kind: groups
-- keys: workclass
-- values: n=count, long=ratio, part=ratio, hours=mean(hours_per_week)
-- support: n   min_support: 10
SELECT workclass, count(*) AS n, avg((hours_per_week >= 50)::INT) AS long, avg((hours_per_week < 35)::INT) AS part,
  avg(hours_per_week) AS hours
FROM core
GROUP BY workclass;

-- name: who has capital gains
-- kind: groups            a rare and heavy-tailed amount, and its tie to income
-- keys: income, marital
-- values: share=ratio, gain=mean(capital_gain), loss=mean(capital_loss)
-- support: n   min_support: 20
SELECT income, marital_status = 'Married-civ-spouse' AS marital, count(*) AS n,
  avg((capital_gain > 0)::INT) AS share, avg(capital_gain) AS gain, avg(capital_loss) AS loss
FROM core
GROUP BY income, marital;

-- name: size of a capital gain
-- kind: dist
-- values: gain=number
SELECT capital_gain AS gain
FROM core
WHERE capital_gain > 0;

-- name: pay gap at equal hours
-- kind: scalar            how much more often men who work full time in the same occupation earn above 50K
-- values: gap=ratio
WITH cell AS (
  SELECT occupation, sex, count(*) AS n, avg((income = '>50K')::INT) AS rich
  FROM core
  WHERE hours_per_week BETWEEN 35 AND 60 AND occupation IS NOT NULL
  GROUP BY occupation, sex
)
SELECT sum((m.rich - f.rich) * least(m.n, f.n)) / sum(least(m.n, f.n)) AS gap
FROM cell AS m
JOIN cell AS f ON f.occupation = m.occupation AND m.sex = 'Male' AND f.sex = 'Female';
