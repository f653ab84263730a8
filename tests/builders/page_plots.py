"""Plots of a page in a browser: they are drawn when they come into view."""


def draw_plots(browser):
    """Scroll to every plot and wait until it is drawn; return them."""
    from selenium.webdriver.support.ui import WebDriverWait

    plots = browser.find_elements("css selector", "[data-plot]")
    for plot in plots:
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
        WebDriverWait(browser, 30).until(
            lambda _, plot=plot: plot.find_elements("css selector", ".main-svg")
        )
    return plots
