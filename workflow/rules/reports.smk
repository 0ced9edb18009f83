"""A report shows only figures that its config and code made."""


def report_category(wildcards):
    """The part of a report that a figure belongs to."""
    return section_of(wildcards.figure)


@cache
def landing_page():
    """The answer, and the settings of each group; read once for all figures of a report."""
    # It imports pandas, which a plan does without.
    from ntk_mnist.page.contents import settings_of

    groups = [
        setting._asdict()
        for setting in settings_of(EXPERIMENT)
        if "(group" in setting.key
    ]
    return current_headline()._asdict() | {"groups": groups}


def report_labels(form):
    """A function that labels a figure of a report, or ends the report.

    Snakemake calls it for each figure that exists, and only for a report. The report describes its
    figures by the config and the code, so it may show none that they did not make.
    """

    def labels(wildcards):
        refuse_other_figure(wildcards.figure)
        # For the landing page, which Snakemake writes after it.
        config["headline"] = landing_page()
        return {"figure": wildcards.figure, "form": form}

    return labels


@cache
def refuse_other_figure(name):
    file = f"{RESULTS}/figures/{name}.html"
    why = stale.stale_figure(
        EXPERIMENT, name, tables_of(name), Path(RESULTS), Path(file)
    )
    if why:
        more = f"; and {len(why) - 3} more" if len(why) > 3 else ""
        logger.error(
            f"No report: {file} does not show this experiment: {'; '.join(why[:3])}{more}."
            " Run this command without its report first."
        )
        # Without the frames that Snakemake prints of an exception in a function.
        sys.exit(1)
