"""A small shop for tests that need many nights: its customers come, go, return and change, and order something."""

import random

HEADER = "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)"
# mean age, income in k$ and score of each kind; then the number of orders and the amount of one
KINDS = [((25, 27, 77), 1, 20), ((38, 88, 50), 3, 90), ((58, 140, 18), 6, 400)]
LAST_DAY = "2025-12-31"  # somebody who never leaves orders on it, so that recency does not depend on who else is there


class Shop:
    def __init__(self, seed, n_customers=120):
        self.generator = random.Random(seed)
        self.present, self.away = {}, {}  # {customer: (age, income, score)}
        self.orders = {}  # {customer: lines}
        self.n_known = 0
        self.join(n_customers)

    def join(self, n):
        for _ in range(n):
            self.n_known += 1
            self.become(self.n_known, self.generator.randrange(3))

    def become(self, customer, kind):
        means, n_orders, amount = KINDS[kind]
        age, income, score = (max(1, round(self.generator.gauss(mean, 4))) for mean in means)
        self.present[customer] = (age, income, min(score, 100))
        days = [LAST_DAY] if customer == 1 else [f"2025-{11 - 4 * kind:02}-{self.generator.randint(1, 28)}"]
        days += [f"2025-{self.generator.randint(1, 3)}-{self.generator.randint(1, 28)}" for _ in range(n_orders - 1)]
        days = [f"2025-{int(month):02}-{int(day):02}" for _, month, day in (day.split("-") for day in days)]
        self.orders[customer] = [f"{customer},{day},{amount + self.generator.randint(0, amount // 4)}" for day in days]

    def some(self, customers, n):
        """At most `n` of the customers, but for the first one."""
        customers = sorted(set(customers) - {1})
        return self.generator.sample(customers, min(n, len(customers)))

    def live(self):
        """A day: a few join, leave, return, or become customers of another kind."""
        draw = self.generator.randint
        for customer in self.some(self.away, draw(0, 3)):
            self.present[customer] = self.away.pop(customer)
        for customer in self.some(self.present, draw(0, 6)):
            self.away[customer] = self.present.pop(customer)
        for customer in self.some(self.present, draw(0, 5)):
            self.become(customer, draw(0, 2))
        self.join(draw(0, 6))

    def shift(self):
        """All spend much more or much less from now on, so that the model has to be fitted anew."""
        points = self.generator.choice([-12, 12])
        for customer, (age, income, score) in self.present.items():
            self.present[customer] = (age, income, min(max(score + points, 1), 100))

    def write(self, folder, customers=None):
        """customers.csv and orders.csv, of all who are there or of `customers`, in whatever order."""
        customers = self.present if customers is None else customers
        lines = [f"{customer},,{','.join(map(str, values))}" for customer, values in customers.items()]
        self.generator.shuffle(lines)
        (folder / "customers.csv").write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
        lines = [line for customer in customers for line in self.orders.get(customer, [])]
        (folder / "orders.csv").write_text("\n".join(["customer_id,order_date,amount", *lines]) + "\n", encoding="utf-8")
