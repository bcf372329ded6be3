"""Tables of customers with categories and yes/no, made up from three kinds of customers; the same in every run.

Each function returns the text of a CSV file, and the settings of the block `segmentation:` for it.
"""

import csv
import io

import numpy as np


def text_of(header, rows):
    file = io.StringIO()
    csv.writer(file).writerows([header, *rows])
    return file.getvalue()


def telco():
    """900 subscribers: those bound by a contract, those who pay month by month for fibre, and those with a telephone alone."""
    draw = np.random.default_rng(7)
    payments = ["Electronic check", "Mailed check", "Bank transfer (automatic)", "Credit card (automatic)"]
    groups = {
        "bound": (["Two year", "One year"], ["Fiber optic", "DSL"], [0.1, 0.1, 0.5, 0.3], 0.15, 55, 90),
        "monthly": (["Month-to-month"], ["Fiber optic"], [0.8, 0.1, 0.05, 0.05], 0.35, 12, 85),
        "telephone": (["Two year", "Month-to-month"], ["No internet service"], [0.1, 0.7, 0.1, 0.1], 0.02, 30, 20),
    }
    rows = []
    for number in range(900):
        group = list(groups)[draw.choice(3, p=[0.35, 0.4, 0.25])]
        contracts, services, shares, share_of_seniors, tenure, charges = groups[group]
        rows.append(
            [
                f"{number:04d}-T", draw.choice(contracts), draw.choice(services), draw.choice(payments, p=shares),
                "Yes" if draw.random() < share_of_seniors else "No",
                max(0, round(draw.normal(tenure, 6))), round(max(18, draw.normal(charges, 7)), 2),
            ]
        )  # fmt: skip
    header = ["customerID", "Contract", "InternetService", "PaymentMethod", "SeniorCitizen", "tenure", "MonthlyCharges"]
    settings = {
        "key": {"name": "customer_id", "headers": ["customerID"], "data_type": "varchar"},
        "attributes": [],
        "features": [
            {"name": "contract", "data_type": "category"},
            {"name": "internet_service", "data_type": "category", "headers": ["InternetService"]},
            {"name": "payment_method", "data_type": "category", "headers": ["PaymentMethod"], "weight": 1},
            {
                "name": "senior", "data_type": "boolean", "headers": ["SeniorCitizen"], "weight": 1,
                "high": "seniors", "low": "not seniors",
            },
            {"name": "tenure", "data_type": "integer", "range": [0, None], "unit": "months"},
            {"name": "monthly_charges", "headers": ["MonthlyCharges"], "range": [0, None], "unit": "USD"},
        ],
        "n_clusters": 3,
        "k_range": [1, 6],
    }  # fmt: skip
    return text_of(header, rows), settings


REGIONS = [
    "North and Isles", "O'Brien County", "<b>West</b>", "South", "East", "Lake District", "Upper Valley", "Lower Valley",
    "Coast", "Capital", "Hills", "Old Town", "Harbour", "Riverside", "Heath", "Moor", "Forest", "Downs", "Fens", "Marches",
    "Wolds", "Broads", "Border",
]  # fmt: skip


def retail():
    """900 shoppers of 23 regions, more than a model has columns for; some have names that are more than a word."""
    draw = np.random.default_rng(11)
    groups = {
        "online": (["app", "web shop and app"], ["Capital", "Coast", "Harbour", "South"], 0.9, 320, 18),
        "shops": (["shop"], ["North and Isles", "O'Brien County", "<b>West</b>"], 0.5, 110, 9),
        "rare": (["web shop and app", "shop"], REGIONS, 0.05, 25, 2),
    }
    rows = []
    for number in range(1, 901):
        group = list(groups)[draw.choice(3, p=[0.3, 0.35, 0.35])]
        channels, regions, loyalty, spend, visits = groups[group]
        region = "" if draw.random() < 0.03 else draw.choice(regions)
        rows.append(
            [
                number, region, draw.choice(channels), "y" if draw.random() < loyalty else "n",
                round(spend * draw.lognormal(0, 0.35), 2), max(0, round(draw.normal(visits, 2))),
            ]
        )  # fmt: skip
    header = ["Customer", "Region", "Channel", "Loyalty Card", "Spend", "Visits"]
    settings = {
        "key": {"name": "customer", "headers": ["Customer"]},
        "attributes": [],
        "features": [
            {"name": "region", "data_type": "category", "missing": "level", "weight": 1.5},
            {"name": "channel", "data_type": "category"},
            {
                "name": "loyalty_card", "data_type": "boolean", "headers": ["Loyalty Card"],
                "high": "with a card", "low": "without a card",
            },
            {"name": "spend", "range": [0, None], "transform": "log1p", "unit": "EUR"},
            {"name": "visits", "data_type": "integer", "range": [0, None]},
        ],
        "n_clusters": 4,
        "k_range": [1, 6],
    }  # fmt: skip
    return text_of(header, rows), settings


def answers():
    """600 answers to four questions, and no number or yes/no at all."""
    draw = np.random.default_rng(5)
    groups = {
        "commuter": (["train", "bus"], ["city"], [0.8, 0.15, 0.05], 0.1),
        "driver": (["car"], ["village", "suburb"], [0.1, 0.3, 0.6], 0.95),
        "walker": (["on foot", "bicycle"], ["city", "suburb"], [0.3, 0.5, 0.2], 0.3),
    }
    rows = []
    for number in range(1, 601):
        group = list(groups)[draw.choice(3)]
        means, homes, shares, share_of_drivers = groups[group]
        often = draw.choice(["every day", "every week", "seldom"], p=shares)
        rows.append(
            [number, draw.choice(means), draw.choice(homes), often, "held" if draw.random() < share_of_drivers else "not held"]
        )
    header = ["id", "means", "home", "how_often", "licence"]
    settings = {
        "key": {"name": "id"},
        "attributes": [],
        "features": [
            {"name": "means", "data_type": "category", "label": "means of transport"},
            {"name": "home", "data_type": "category"},
            {"name": "how_often", "data_type": "category", "weight": 1},
            {"name": "licence", "data_type": "category", "label": "driving licence"},
        ],
        "n_clusters": 3,
        "k_range": [1, 6],
    }  # fmt: skip
    return text_of(header, rows), settings
