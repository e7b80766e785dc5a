"""admin_api"""
