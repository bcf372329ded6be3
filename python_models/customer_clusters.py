from model_bodies import clusters


def model(dbt, session):
    settings = dbt.config.get("meta")["segmentation"]
    return clusters(
        session,
        settings,
        decision=dbt.ref("int_refit_decision"),
        fits=dbt.ref("segmentation_fits"),
        customers=dbt.ref("int_customers_to_label"),
    )
