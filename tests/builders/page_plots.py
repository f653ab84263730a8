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


def hover_over_point(browser, plot):
    """Move the mouse to the first point of a plot until its numbers show; return their text."""
    from selenium.webdriver import ActionChains
    from selenium.webdriver.support.ui import WebDriverWait

    def show(_):
        # Plots drawn further up still move the page: look for the point anew each time.
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
        point = plot.find_element("css selector", ".scatterlayer .point")
        ActionChains(browser).move_to_element_with_offset(point, 3, 3).perform()
        ActionChains(browser).move_to_element(point).perform()
        return plot.find_elements("css selector", ".hoverlayer .hovertext")

    WebDriverWait(browser, 30, poll_frequency=0.5).until(show)
    return plot.find_element("css selector", ".hoverlayer").get_attribute("textContent")
