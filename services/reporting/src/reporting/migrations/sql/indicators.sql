-- What the indicators need: how people stood at the end of each month, how many benefit lines a payment holds, and sums of both.
-- All of it is made from the event log; `rebuild` makes it again.
ALTER TABLE payment ADD COLUMN benefit_lines text[];  -- null where the producer did not say: counted as one
ALTER TABLE hold ADD COLUMN benefit_lines text[];
DROP INDEX payment_by_person;
DROP INDEX hold_by_person;
CREATE INDEX payment_by_person ON payment (beneficiary_id, month, cycle_id);
CREATE INDEX hold_by_person ON hold (beneficiary_id, month, cycle_id);

-- Facts by month: the highest version whose business date lies in the month. As of the end of a month stands the highest version
-- of that month and all before it.
CREATE TABLE beneficiary_month (
    beneficiary_id uuid NOT NULL,
    month date NOT NULL,
    version bigint NOT NULL,
    unit_path text COLLATE "C" NOT NULL,
    programmes text[] NOT NULL,
    status text NOT NULL,
    doubtful boolean NOT NULL,
    merged boolean NOT NULL,
    PRIMARY KEY (beneficiary_id, month)
);
CREATE TABLE preference_month (
    beneficiary_id uuid NOT NULL,
    month date NOT NULL,
    version bigint NOT NULL,
    preference text NOT NULL,
    PRIMARY KEY (beneficiary_id, month)
);
CREATE TABLE verification_month (
    beneficiary_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    month date NOT NULL,
    version bigint NOT NULL,
    verdict text NOT NULL,
    PRIMARY KEY (beneficiary_id, subject_id, month)
);
CREATE TABLE payout_method_month (
    beneficiary_id uuid NOT NULL,
    month date NOT NULL,
    version bigint NOT NULL,
    payee_id uuid NOT NULL,
    method text NOT NULL,
    account_id uuid,
    PRIMARY KEY (beneficiary_id, month)
);
CREATE INDEX payout_method_month_by_payee ON payout_method_month (payee_id);
CREATE TABLE account_month (
    account_id uuid NOT NULL,
    month date NOT NULL,
    version bigint NOT NULL,
    payee_id uuid NOT NULL,
    status text NOT NULL,
    reason text,
    PRIMARY KEY (account_id, month)
);
CREATE INDEX account_month_by_payee ON account_month (payee_id);
CREATE TABLE opening_month (
    request_id uuid NOT NULL,
    month date NOT NULL,
    version bigint NOT NULL,
    payee_id uuid NOT NULL,
    beneficiary_id uuid,
    status text NOT NULL,
    PRIMARY KEY (request_id, month)
);
CREATE INDEX opening_month_by_person ON opening_month ((coalesce(beneficiary_id, payee_id)));

-- Sums of the lists, per month × unit × programme × measure; programme '*' counts each person once over all programmes.
CREATE TABLE month_sum (
    month date NOT NULL,
    unit_path text COLLATE "C" NOT NULL,
    programme text NOT NULL,
    measure text NOT NULL,
    people bigint NOT NULL,
    lines bigint NOT NULL,
    dong bigint NOT NULL,
    payments bigint NOT NULL,
    PRIMARY KEY (month, unit_path, programme, measure)
) WITH (fillfactor = 60);  -- the sums change with every batch; none of the indexed columns do

-- How the number of people of a measure changes in a month: their sum up to a month is how many there are at its end.
CREATE TABLE standing_change (
    month date NOT NULL,
    unit_path text COLLATE "C" NOT NULL,
    programme text NOT NULL,
    measure text NOT NULL,
    people bigint NOT NULL,
    PRIMARY KEY (unit_path, month, programme, measure)
) WITH (fillfactor = 60);

UPDATE read_model SET lock_order = 100 WHERE name = 'unit';  -- every report reads the names of units last
INSERT INTO read_model VALUES
    ('month_sum', 11), ('standing_change', 12), ('beneficiary_month', 13), ('preference_month', 14), ('verification_month', 15),
    ('payout_method_month', 16), ('account_month', 17), ('opening_month', 18);
CREATE INDEX month_sum_started ON month_sum (unit_path, month) WHERE measure = 'by_account' AND programme = '*';
