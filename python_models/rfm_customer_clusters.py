from model_bodies import clusters


def model(dbt, session):
    settings = dbt.config.get("meta")["segmentation"]
    return clusters(
        session,
        settings,
        decision=dbt.ref("int_rfm_refit_decision"),
        fits=dbt.ref("rfm_segmentation_fits"),
        customers=dbt.ref("int_rfm_customers_to_label"),
    )
